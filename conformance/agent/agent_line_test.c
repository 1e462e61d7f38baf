/* Tests of the agent's lines: what is understood, and what hostile text does.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/agent/agent_line.h"
#include "sim/random.h"
#include "testing/check_main.h"

static struct agent_line line;

/* Parses a copy that ends exactly where it may end, so that a sanitizer sees reads behind it. */
static char *copy;
static const char *parse(const char *text, size_t n)
{
    free(copy);
    copy = malloc(n + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, n);
    copy[n] = 'x'; /* the parser puts its NUL here */
    return agent_line_parse(copy, n, &line);
}

static const char *parse_text(const char *text)
{
    return parse(text, strlen(text));
}

static void forget(void)
{
    free(copy);
    copy = NULL;
}

START_TEST(a_request_is_taken_apart)
{
    ck_assert_ptr_null(parse_text("  17 send id=3   bytes=00ff name=a%20b%25 empty="));
    ck_assert_uint_eq(line.number, 17);
    ck_assert_str_eq(line.verb, "send");
    ck_assert_uint_eq(line.count, 4);
    ck_assert_str_eq(agent_line_get(&line, "name"), "a b%");
    ck_assert_str_eq(agent_line_get(&line, "empty"), "");
    ck_assert_ptr_null(agent_line_get(&line, "nam"));
    uint64_t id = 0;
    ck_assert_int_eq(agent_line_number(&line, "id", 3, &id), 1);
    ck_assert_uint_eq(id, 3);
    ck_assert_int_eq(agent_line_number(&line, "id", 2, &id), -1);
    ck_assert_int_eq(agent_line_number(&line, "other", 2, &id), 0);
    ck_assert_ptr_null(agent_line_unknown(&line, "id bytes name empty"));
    ck_assert_str_eq(agent_line_unknown(&line, "id byte name empty"), "bytes");
    forget();
}
END_TEST

START_TEST(numbers_are_decimal_or_hex_and_nothing_else)
{
    static const char *const bad[] = {"-1", "+1", " 1", "1x", "0x", "0xg", "18446744073709551616", "", "1e3", "0x10000000000000000"};
    char text[64];
    uint64_t value = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "1 v n=%s", strcmp(bad[i], " 1") == 0 ? "%201" : bad[i]);
        ck_assert_ptr_null(parse_text(text));
        ck_assert_msg(agent_line_number(&line, "n", UINT64_MAX, &value) == -1 && value == 7, "'%s' was taken", bad[i]);
    }
    ck_assert_ptr_null(parse_text("1 v n=0xFFFFffffFFFFffff m=18446744073709551615"));
    ck_assert_int_eq(agent_line_number(&line, "n", UINT64_MAX, &value), 1);
    ck_assert_uint_eq(value, UINT64_MAX);
    ck_assert_int_eq(agent_line_number(&line, "m", UINT64_MAX, &value), 1);
    ck_assert_uint_eq(value, UINT64_MAX);
    forget();
}
END_TEST

START_TEST(what_is_no_request_is_refused_with_a_reason)
{
    static const char *const bad[] = {
        "hello", "x hello", "1x hello", "-1 hello", "99999999999999999999999 hello", "1", "1 ", "", "1 send id", "1 send =3",
        "1 send id=1 id=2", "1 send a=%", "1 send a=%1", "1 send a=%zz", "1 send a=%00", "1\thello", "1 hello\r", "* ready",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(parse_text(bad[i]) != NULL, "'%s' was taken", bad[i]);
    ck_assert_ptr_nonnull(parse("1 hel\0lo", 8));
    parse_text("12 send id");
    ck_assert_uint_eq(line.number, 12); /* the answer must find its request */
    forget();
}
END_TEST

START_TEST(more_names_than_there_is_room_for_are_refused)
{
    char text[2048] = "1 v";
    for (int i = 0; i < AGENT_PAIRS; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), " n%d=%d", i, i);
    ck_assert_ptr_null(parse_text(text));
    ck_assert_uint_eq(line.count, AGENT_PAIRS);
    strcat(text, " more=1");
    ck_assert_ptr_nonnull(parse_text(text));
    forget();
}
END_TEST

START_TEST(random_text_is_survived)
{
    static const char alphabet[] = "0123456789 abc=%%== \n\tx0F,~";
    struct sim_random r;
    char text[200];
    unsigned taken = 0;
    sim_random_init(&r, 1, "agent lines");
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)sim_random_below(&r, sizeof(text));
        for (size_t k = 0; k < n; k++)
            text[k] = sim_random_below(&r, 20) == 0 ? (char)sim_random_below(&r, 256)
                                                    : alphabet[sim_random_below(&r, sizeof(alphabet) - 1)];
        if (n > 4 && sim_random_below(&r, 2) == 0)
            memcpy(text, "1 a ", 4);
        if (parse(text, n) != NULL)
            continue;
        taken++;
        for (unsigned k = 0; k < line.count; k++)
            ck_assert_ptr_eq(agent_line_get(&line, line.pair[k].name), line.pair[k].value);
    }
    ck_assert_uint_gt(taken, 0);
    forget();
}
END_TEST

START_TEST(values_survive_the_way_there_and_back)
{
    char all[256], text[1024];
    struct agent_text t = {0};
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = '\0';
    agent_text_print(&t, "1 v");
    agent_text_pair(&t, "x", all);
    ck_assert_uint_lt(t.length, sizeof(text));
    ck_assert_ptr_null(parse(t.p, t.length));
    ck_assert_str_eq(agent_line_get(&line, "x"), all);
    agent_text_free(&t);
    agent_text_hex(&t, "\x00\xff\x7f", 3);
    ck_assert_uint_eq(t.length, 6);
    memcpy(text, t.p, 6);
    text[6] = '\0';
    ck_assert_str_eq(text, "00ff7f");
    ck_assert_int_eq(agent_unhex(text), 3);
    ck_assert_mem_eq(text, "\x00\xff\x7f", 3);
    agent_text_free(&t);
    forget();
}
END_TEST

START_TEST(bytes_are_pairs_of_hex_digits)
{
    char odd[] = "123", letter[] = "0g", none[] = "", upper[] = "aBCd";
    ck_assert_int_eq(agent_unhex(odd), -1);
    ck_assert_int_eq(agent_unhex(letter), -1);
    ck_assert_int_eq(agent_unhex(none), 0);
    ck_assert_int_eq(agent_unhex(upper), 2);
    ck_assert_str_eq(agent_error_name(ECONNRESET), "ECONNRESET");
    ck_assert_str_eq(agent_error_name(9999), "E9999");
}
END_TEST

static Suite *line_suite(void)
{
    Suite *s = suite_create("agent lines");
    TCase *t = tcase_create("lines");
    tcase_add_test(t, a_request_is_taken_apart);
    tcase_add_test(t, numbers_are_decimal_or_hex_and_nothing_else);
    tcase_add_test(t, what_is_no_request_is_refused_with_a_reason);
    tcase_add_test(t, more_names_than_there_is_room_for_are_refused);
    tcase_add_test(t, random_text_is_survived);
    tcase_add_test(t, values_survive_the_way_there_and_back);
    tcase_add_test(t, bytes_are_pairs_of_hex_digits);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(line_suite)
