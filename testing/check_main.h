/* The main() of a unit-test program: runs one Check suite and exits 0 only if every test passed.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTING_CHECK_MAIN_H
#define TESTING_CHECK_MAIN_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Use: define a function `static Suite *make_suite(void)`, then write CHECK_MAIN(make_suite) after it.
 * Check forks one process a test; CK_FORK=no in the environment keeps all in one (for a debugger).
 * Other variables of Check work too: CK_RUN_SUITE, CK_RUN_CASE, CK_VERBOSITY, CK_DEFAULT_TIMEOUT.
 * An empty selection fails: a program that ran no test has shown nothing. */
static inline int check_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int run = srunner_ntests_run(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (run == 0)
        fprintf(stderr, "no test was run\n");
    return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define CHECK_MAIN(make_suite)                                                                     \
    int main(void)                                                                                 \
    {                                                                                              \
        return check_main(make_suite());                                                           \
    }

#endif
