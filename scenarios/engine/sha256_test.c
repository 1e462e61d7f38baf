/* SHA-256 against the vectors of FIPS 180-4's examples and of what coreutils say.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sha256.h"

#include "testing/check_main.h"

#include <stdio.h>
#include <string.h>

static void hex_of(const void *data, size_t n, size_t chunk, char out[SHA256_TEXT])
{
    struct sha256 s;
    uint8_t value[SHA256_BYTES];
    sha256_init(&s);
    for (size_t at = 0; at < n; at += chunk)
        sha256_add(&s, (const uint8_t *)data + at, n - at < chunk ? n - at : chunk);
    sha256_end(&s, value);
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", value[i]);
}

START_TEST(known_texts_have_their_known_digests)
{
    static const struct { const char *text, *digest; } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char text[SHA256_TEXT];
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        hex_of(vectors[i].text, strlen(vectors[i].text), 64, text);
        ck_assert_str_eq(text, vectors[i].digest);
    }
}
END_TEST

START_TEST(a_million_times_a_in_any_chunks)
{
    static const size_t chunks[] = {1, 7, 63, 64, 65, 1000000};
    static char a[1000000];
    char text[SHA256_TEXT];
    memset(a, 'a', sizeof(a));
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        hex_of(a, sizeof(a), chunks[i], text);
        ck_assert_str_eq(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}
END_TEST

/* Around a block's end the padding needs another block: 55 bytes still fit, 56 do not. */
START_TEST(every_length_around_a_block_differs_and_does_not_depend_on_chunks)
{
    char a[130], before[SHA256_TEXT] = "", one[SHA256_TEXT], two[SHA256_TEXT];
    memset(a, 'x', sizeof(a));
    for (size_t n = 50; n <= sizeof(a); n++) {
        hex_of(a, n, 130, one);
        hex_of(a, n, 3, two);
        ck_assert_str_eq(one, two);
        ck_assert_str_ne(one, before);
        strcpy(before, one);
    }
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_error)
{
    char text[SHA256_TEXT];
    ck_assert_int_eq(sha256_file("/nonexistent/capture.pcap", text), -1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("sha256");
    TCase *c = tcase_create("sha256");
    tcase_add_test(c, known_texts_have_their_known_digests);
    tcase_add_test(c, a_million_times_a_in_any_chunks);
    tcase_add_test(c, every_length_around_a_block_differs_and_does_not_depend_on_chunks);
    tcase_add_test(c, a_file_that_is_not_there_is_an_error);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(suite)
