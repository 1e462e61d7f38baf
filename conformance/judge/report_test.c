/* The report writers on results made by hand, hostile text included.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/judge/report_common.h"
#include "testing/check_main.h"
#include "traces/session.h"

#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define HOSTILE "</script><img src=x onerror=alert(1)>&amp;'\"\x1b[31m\xff\xc0\x80\n# \\ ]]>\u202Eevil"

static uint64_t exercised[1024];
static char hostile[] = HOSTILE, plain[] = "plain", empty[] = "", cut_short[] = "file cut short at byte 99 \x01";
static struct judge_connection connections[3];
static struct judge_finding findings[4];
static struct judge_result result;
static struct judge_report_file files[2];
static struct judge_reports reports;

static void address(uint8_t *to, uint8_t last)
{
    memset(to, 0, 16);
    to[10] = to[11] = 0xff;
    to[12] = 10;
    to[15] = last;
}

static void make_connections(void)
{
    for (unsigned i = 0; i < 3; i++) {
        connections[i] = (struct judge_connection){.id = 2 * i + 1, .client_port = 40000, .server_port = 80};
        address(connections[i].client_addr, 1);
        address(connections[i].server_addr, 2);
    }
    connections[0].mode = TRACE_MODE_SMCR;
    connections[0].version = 2;
    connections[0].release = 1;
    connections[0].group = 7;
    connections[0].closed = TRACE_CLOSED_NORMAL;
    connections[0].bytes_known[0] = connections[0].bytes_known[1] = true;
    connections[0].bytes[0] = 12;
    connections[1].mode = TRACE_MODE_TCP;
    connections[1].declined = true;
    connections[1].decline = 0x3030000;
    connections[1].fallback = "declined by the server";
    connections[2].mode = TRACE_MODE_SMCD;
    connections[2].version = 1;
    connections[2].closed = TRACE_CLOSED_ABORT;
}

static struct judge_finding finding(int requirement, enum judge_verdict verdict, uint64_t frame, char *text)
{
    return (struct judge_finding){.requirement = requirement, .verdict = verdict, .at_fault = JUDGE_FAULT_SERVER, .frame = frame,
                                  .connection = 1, .offset = 12, .seen = text, .expected = plain, .message = text};
}

static void setup(void)
{
    memset(exercised, 0, sizeof exercised);
    make_connections();
    findings[0] = finding(0, JUDGE_FAIL, 5, hostile);
    findings[0].related[0] = 3;
    findings[0].nrelated = 1;
    findings[1] = finding(1, JUDGE_WARN, 6, plain);
    findings[2] = finding(2, JUDGE_DEVIATION, 7, plain);
    findings[2].deviation = "A-33";
    findings[3] = finding(3, JUDGE_INCONCLUSIVE, 0, plain);
    findings[3].at_fault = JUDGE_FAULT_UNKNOWN;
    findings[3].connection = 0;
    findings[3].offset = -1;
    findings[3].seen = findings[3].expected = empty;
    exercised[0] = 3;
    exercised[1] = exercised[2] = exercised[5] = 1;
    result = (struct judge_result){.file = HOSTILE, .packets = 9, .error = cut_short, .connections = connections, .nconnections = 3,
                                   .findings = findings, .nfindings = 4, .dropped_findings = 2, .exercised = exercised,
                                   .summary = {3, 1, 1, 1}, .anything_judged = true};
    files[0].result = files[1].result = &result;
    reports = (struct judge_reports){.files = files, .nfiles = 1};
}

static char *written(enum judge_format format, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    ck_assert_int_eq(judge_report_write(format, &reports, out), 0);
    fclose(out);
    return text;
}

static void no_terminal_codes(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != 0; p++)
        ck_assert_msg(*p >= 0x20 || *p == '\n', "byte %02x at %td", *p, (const char *)p - text);
    ck_assert_ptr_null(strstr(text, "\u202E"));
}

START_TEST(clean_text_is_utf8_without_controls)
{
    char *text = judge_clean(HOSTILE, false);
    no_terminal_codes(text);
    ck_assert_ptr_nonnull(strstr(text, "\\x1b[31m\\xff\\xc0\\x80\\x0a"));
    free(text);
    text = judge_clean("\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82", false); /* surrogate, beyond Unicode, cut */
    ck_assert_str_eq(text, "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xe2\\x82");
    free(text);
    text = judge_clean("\u20ac\n", true); /* a program's text keeps its controls */
    ck_assert_str_eq(text, "\u20ac\n");
    free(text);
}
END_TEST

START_TEST(json_keeps_the_contract)
{
    size_t size;
    char *text = written(JUDGE_JSON, &size);
    json_t *o = json_loadb(text, size, 0, NULL), *file = json_array_get(json_object_get(o, "files"), 0);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "version")), 1);
    const char *client, *mode, *version, *group, *decline, *fallback, *closed;
    json_t *connection = json_array_get(json_object_get(file, "connections"), 0);
    int to_server, to_client;
    ck_assert_int_eq(json_unpack(connection, "{s:s,s:s,s:s,s:s,s:n,s:{s:i,s:i},s:s}", "client", &client, "mode", &mode, "version",
                                 &version, "link_group", &group, "decline", "bytes", "client_to_server", &to_server,
                                 "server_to_client", &to_client, "closed", &closed), 0);
    ck_assert_str_eq(client, "10.0.0.1:40000");
    ck_assert_str_eq(mode, "SMC-R");
    ck_assert_str_eq(version, "2.1");
    ck_assert_str_eq(group, "g7");
    ck_assert_str_eq(closed, "normal");
    ck_assert_int_eq(to_server, 12);
    connection = json_array_get(json_object_get(file, "connections"), 1);
    ck_assert_int_eq(json_unpack(connection, "{s:s,s:s,s:n,s:{s:n}}", "decline", &decline, "fallback", &fallback, "version", "bytes",
                                 "client_to_server"), 0);
    ck_assert_str_eq(decline, "0x03030000");
    ck_assert_int_eq((int)json_object_size(json_object_get(file, "exercised")), 4);
    json_decref(o);
    free(text);
}
END_TEST

START_TEST(json_findings_say_who_where_and_what)
{
    size_t size;
    char *text = written(JUDGE_JSON, &size);
    json_t *o = json_loadb(text, size, 0, NULL), *list, *related;
    list = json_object_get(json_array_get(json_object_get(o, "files"), 0), "findings");
    const char *fault, *verdict, *connection, *deviation, *message;
    int frame, offset;
    ck_assert_int_eq(json_unpack(json_array_get(list, 0), "{s:s,s:s,s:i,s:o,s:s,s:i,s:n,s:s}", "at_fault", &fault, "verdict", &verdict,
                                 "frame", &frame, "related_frames", &related, "connection", &connection, "offset", &offset,
                                 "deviation", "message", &message), 0);
    ck_assert_str_eq(fault, "server");
    ck_assert_str_eq(verdict, "fail");
    ck_assert_int_eq(frame, 5);
    ck_assert_int_eq((int)json_array_size(related), 1);
    ck_assert_str_eq(connection, "c1");
    ck_assert_ptr_nonnull(strstr(message, "\x1b[31m\\xff")); /* JSON can hold the escape; not what is no UTF-8 */
    ck_assert_int_eq(json_unpack(json_array_get(list, 2), "{s:s}", "deviation", &deviation), 0);
    ck_assert_str_eq(deviation, "A-33");
    ck_assert_int_eq(json_unpack(json_array_get(list, 3), "{s:n,s:n,s:n,s:n,s:s}", "frame", "connection", "offset", "seen",
                                 "at_fault", &fault), 0);
    ck_assert_str_eq(fault, "unknown");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(o, "summary"), "fail")), 3);
    json_decref(o);
    free(text);
}
END_TEST

START_TEST(text_is_safe_for_a_terminal_and_names_the_frame)
{
    size_t size;
    char *text = written(JUDGE_TEXT, &size);
    no_terminal_codes(text);
    ck_assert_ptr_nonnull(strstr(text, "frame 5, c1, by the server"));
    ck_assert_ptr_nonnull(strstr(text, "not read to its end"));
    ck_assert_ptr_nonnull(strstr(text, "1 file: 3 fail, 1 warn, 1 deviation, 1 inconclusive"));
    ck_assert_ptr_null(strstr(text, "evaluated, by requirement"));
    free(text);
    reports.verbose = true;
    text = written(JUDGE_TEXT, &size);
    ck_assert_ptr_nonnull(strstr(text, "evaluated, by requirement"));
    free(text);
}
END_TEST

START_TEST(tap_has_a_point_for_each_requirement_and_a_plan)
{
    size_t size;
    char *text = written(JUDGE_TAP, &size);
    unsigned ok = 0, not_ok = 0;
    no_terminal_codes(text);
    ck_assert_ptr_nonnull(strstr(text, "\n1..6\n")); /* four evaluated, one inconclusive, the file cut short */
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ok += strncmp(line, "ok ", 3) == 0;
        not_ok += strncmp(line, "not ok ", 7) == 0;
        const char *hash = strstr(line, " # ");
        ck_assert(line[0] == ' ' || hash == NULL || strcmp(hash, " # SKIP inconclusive") == 0);
    }
    ck_assert_uint_eq(ok, 4);
    ck_assert_uint_eq(not_ok, 2);
    free(text);
}
END_TEST

START_TEST(tap_of_nothing_is_a_skip)
{
    size_t size;
    struct judge_result nothing = {.file = "x", .exercised = exercised};
    memset(exercised, 0, sizeof exercised);
    files[0].result = &nothing;
    char *text = written(JUDGE_TAP, &size);
    ck_assert_str_eq(text, "TAP version 13\n1..0 # SKIP nothing could be judged\n");
    free(text);
}
END_TEST

static const char *attribute(xmlNodePtr node, const char *name, char *buf, size_t n)
{
    xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
    snprintf(buf, n, "%s", value != NULL ? (const char *)value : "");
    xmlFree(value);
    return buf;
}

static unsigned cases_with(xmlNodePtr suite, const char *child)
{
    unsigned n = 0;
    for (xmlNodePtr c = xmlFirstElementChild(suite); c != NULL; c = xmlNextElementSibling(c)) {
        xmlNodePtr inner = xmlFirstElementChild(c);
        n += inner != NULL && strcmp((const char *)inner->name, child) == 0;
    }
    return n;
}

START_TEST(junit_counts_what_it_lists)
{
    size_t size;
    char *text = written(JUDGE_JUNIT, &size), buf[512];
    xmlDocPtr doc = xmlReadMemory(text, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    ck_assert_ptr_nonnull(doc);
    xmlNodePtr suite = xmlFirstElementChild(xmlDocGetRootElement(doc));
    ck_assert_str_eq(attribute(suite, "tests", buf, sizeof buf), "6");
    ck_assert_uint_eq((unsigned)xmlChildElementCount(suite), 6);
    ck_assert_str_eq(attribute(suite, "failures", buf, sizeof buf), "1");
    ck_assert_uint_eq(cases_with(suite, "failure"), 1);
    ck_assert_uint_eq(cases_with(suite, "skipped"), 1);
    ck_assert_uint_eq(cases_with(suite, "error"), 1);
    ck_assert_uint_eq(cases_with(suite, "system-out"), 2);
    ck_assert_ptr_nonnull(strstr(attribute(suite, "name", buf, sizeof buf), "<img src=x"));
    xmlFreeDoc(doc);
    free(text);
}
END_TEST

START_TEST(sarif_levels_follow_verdicts)
{
    size_t size;
    char *text = written(JUDGE_SARIF, &size);
    json_t *o = json_loadb(text, size, 0, NULL), *results;
    static const char *const levels[] = {"error", "warning", "note", "none"};
    ck_assert_ptr_nonnull(o);
    results = json_object_get(json_array_get(json_object_get(o, "runs"), 0), "results");
    ck_assert_uint_eq(json_array_size(results), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(results, i), "level")), levels[i]);
    const char *uri;
    ck_assert_int_eq(json_unpack(json_array_get(results, 0), "{s:[{s:{s:{s:s}}}]}", "locations", "physicalLocation",
                                 "artifactLocation", "uri", &uri), 0);
    for (const char *p = uri; *p != '\0'; p++)
        ck_assert(strchr("<>\" \\", *p) == NULL && (unsigned char)*p < 0x80);
    json_decref(o);
    free(text);
}
END_TEST

START_TEST(html_shows_hostile_text_and_does_not_obey_it)
{
    size_t size;
    char *text = written(JUDGE_HTML, &size);
    ck_assert_ptr_null(strstr(text, "<img"));
    ck_assert_ptr_nonnull(strstr(text, "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;&#39;&quot;"));
    unsigned scripts = 0;
    for (const char *p = text; (p = strstr(p, "<script")) != NULL; p++)
        scripts++;
    ck_assert_uint_eq(scripts, 1); /* ours and no other */
    free(text);
}
END_TEST

START_TEST(html_needs_no_network)
{
    size_t size;
    char *text = written(JUDGE_HTML, &size);
    static const char *const outside[] = {"http:", "https:", "src=\"", "<link", "@import", "url("};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        ck_assert_msg(strstr(text, outside[i]) == NULL, "%s", outside[i]);
    ck_assert_ptr_nonnull(strstr(text, "default-src 'none'"));
    free(text);
}
END_TEST

START_TEST(every_format_gives_the_same_bytes_again)
{
    for (unsigned f = 0; f < JUDGE_FORMATS; f++) {
        size_t size, again_size;
        char *text = written((enum judge_format)f, &size), *again = written((enum judge_format)f, &again_size);
        ck_assert_uint_eq(size, again_size);
        ck_assert_mem_eq(text, again, size);
        free(text);
        free(again);
    }
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    for (unsigned f = 0; f < JUDGE_FORMATS; f++) {
        FILE *full = fopen("/dev/full", "w");
        ck_assert_ptr_nonnull(full);
        ck_assert_int_eq(judge_report_write((enum judge_format)f, &reports, full), -1);
        fclose(full);
    }
}
END_TEST

START_TEST(several_files_add_up)
{
    size_t size;
    reports.nfiles = 2;
    char *text = written(JUDGE_TEXT, &size);
    ck_assert_ptr_nonnull(strstr(text, "2 files: 6 fail, 2 warn, 2 deviation, 2 inconclusive"));
    free(text);
    text = written(JUDGE_JSON, &size);
    json_t *o = json_loadb(text, size, 0, NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "files")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(o, "summary"), "fail")), 6);
    json_decref(o);
    free(text);
}
END_TEST

START_TEST(format_names_are_exact)
{
    ck_assert_int_eq(judge_format_of("html=x", 4), JUDGE_HTML);
    ck_assert_int_eq(judge_format_of("htm", 3), JUDGE_FORMATS);
    ck_assert_int_eq(judge_format_of("", 0), JUDGE_FORMATS);
}
END_TEST

START_TEST(the_verdict_of_a_file_is_its_worst)
{
    struct judge_result r = {.file = "x"};
    ck_assert_str_eq(judge_file_verdict(&r), "nothing to judge");
    r.anything_judged = true;
    ck_assert_str_eq(judge_file_verdict(&r), "pass");
    r.summary[JUDGE_INCONCLUSIVE] = 1;
    ck_assert_str_eq(judge_file_verdict(&r), "inconclusive");
    r.error = cut_short;
    ck_assert_str_eq(judge_file_verdict(&r), "unreadable");
    r.summary[JUDGE_WARN] = 1;
    ck_assert_str_eq(judge_file_verdict(&r), "warn");
    r.summary[JUDGE_FAIL] = 1;
    ck_assert_str_eq(judge_file_verdict(&r), "fail");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("reports");
    TCase *c = tcase_create("reports");
    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, clean_text_is_utf8_without_controls);
    tcase_add_test(c, json_keeps_the_contract);
    tcase_add_test(c, json_findings_say_who_where_and_what);
    tcase_add_test(c, text_is_safe_for_a_terminal_and_names_the_frame);
    tcase_add_test(c, tap_has_a_point_for_each_requirement_and_a_plan);
    tcase_add_test(c, tap_of_nothing_is_a_skip);
    tcase_add_test(c, junit_counts_what_it_lists);
    tcase_add_test(c, sarif_levels_follow_verdicts);
    tcase_add_test(c, html_shows_hostile_text_and_does_not_obey_it);
    tcase_add_test(c, html_needs_no_network);
    tcase_add_test(c, every_format_gives_the_same_bytes_again);
    tcase_add_test(c, a_full_disk_is_told);
    tcase_add_test(c, several_files_add_up);
    tcase_add_test(c, format_names_are_exact);
    tcase_add_test(c, the_verdict_of_a_file_is_its_worst);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(make_suite)
