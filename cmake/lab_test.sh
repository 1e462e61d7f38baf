#!/usr/bin/env bash
# Tests of ./lab: what counts as failure (a skip, low coverage, a demo without a finding) and what it prints last.
# SPDX-License-Identifier: BSD-3-Clause
set -u
here=${SMCLAB_SOURCE_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/lab" "$work/lab"
unset LAB_ALLOW_SKIP
failures=0 checks=0

# expect WHAT STATUS COMMAND…: runs it, output to $work/output.
expect() {
    local what=$1 wanted=$2 got=0
    shift 2
    "$@" >"$work/output" 2>&1 || got=$?
    checks=$((checks + 1))
    if [ "$got" != "$wanted" ]; then
        failures=$((failures + 1))
        printf '%s: exit status %s instead of %s\n' "$what" "$got" "$wanted"
        sed 's/^/    /' "$work/output"
    fi
}

# says TEXT: the last command's output has it.
says() {
    checks=$((checks + 1))
    if ! grep -qF -- "$1" "$work/output"; then
        failures=$((failures + 1))
        printf 'not in the output: %s\n' "$1"
        sed 's/^/    /' "$work/output"
    fi
}

# One function of lab, in a process of its own.
lab_function() { (cd "$work" && bash -c '. ./lab; "$@"' lab_test "$@"); }

# A project whose only tests are those given as lines of CMake.
project_with() {
    rm -rf "$work/build"
    mkdir -p "$work/build"
    printf 'cmake_minimum_required(VERSION 3.25)\nproject(tiny NONE)\nenable_testing()\n%s\n' "$1" >"$work/CMakeLists.txt"
    cat >"$work/CMakePresets.json" <<'END'
{"version": 6,
 "configurePresets": [{"name": "dev", "binaryDir": "${sourceDir}/build/dev"}],
 "testPresets": [{"name": "dev", "configurePreset": "dev", "execution": {"noTestsAction": "error"}}]}
END
    (cd "$work" && cmake --preset dev >build/log 2>&1) || { cat "$work/build/log"; exit 1; }
}

good='add_test(NAME good COMMAND ${CMAKE_COMMAND} -E true)'
bad='add_test(NAME bad COMMAND ${CMAKE_COMMAND} -E false)'
skip='add_test(NAME left_out COMMAND ${CMAKE_COMMAND} -E false)
set_tests_properties(left_out PROPERTIES SKIP_RETURN_CODE 1)'
disabled='add_test(NAME off COMMAND ${CMAKE_COMMAND} -E true)
set_tests_properties(off PROPERTIES DISABLED ON)'

project_with "$good"
expect "all tests pass" 0 lab_function run_ctest dev
tail -n 1 "$work/output" | grep -q '^Total Test time' || { echo "ctest's closing lines are not the last"; failures=$((failures + 1)); }
says "100% tests passed, 0 tests failed out of 1"

project_with "$good
$bad"
expect "one fails" 1 lab_function run_ctest dev
says "50% tests passed, 1 tests failed out of 2"

project_with "$good
$skip"
expect "one is skipped" 1 lab_function run_ctest dev
says "skipped: left_out"
says "1 of 2 tests were skipped"
[ "$(grep -c 'tests passed, ' "$work/output")" = 1 ] || { echo "closing lines printed twice"; failures=$((failures + 1)); }
LAB_ALLOW_SKIP=1 expect "one is skipped, allowed" 0 lab_function run_ctest dev
says "skipped: left_out"

project_with "$good
$disabled"
expect "one is disabled" 1 lab_function run_ctest dev
says "skipped: off"

project_with ""
expect "no tests" 1 lab_function run_ctest dev
expect "no record" 1 lab_function check_skips build/nothing.xml
says "no record of the tests"

coverage_record() { # hit lines of ten in traces
    for folder in protocol/wire conformance/judge traces smclab; do
        printf 'SF:%s/%s/a.c\n' "$work" "$folder"
        for line in 1 2 3 4 5 6 7 8 9 10; do
            case $folder in traces) [ "$line" -le "$1" ] ;; smclab) false ;; *) true ;; esac && hits=3 || hits=0
            printf 'DA:%s,%s\n' "$line" "$hits"
        done
        printf 'end_of_record\n'
    done >"$work/coverage.info"
}
coverage_record 9
expect "coverage of 90 %" 0 lab_function coverage_table coverage.info
coverage_record 8
expect "coverage of 80 %" 1 lab_function coverage_table coverage.info
says "80.0  <-- below 90"
sed -i '\,/traces/,,/end_of_record/d' "$work/coverage.info"
expect "a folder without lines" 1 lab_function coverage_table coverage.info

demo_record() { # verdict in the kernel's capture, verdict in the broken one
    printf '{"files":[{"file":"traces/captures/k.pcap","packets":5,"connections":[],"findings":[%s]},
      {"file":"demo/broken/b.pcap","packets":6,"connections":[],"findings":[%s]}]}' "$1" "$2" >"$work/demo.json"
}
finding() {
    printf '{"verdict":"%s","requirement":"CURSOR-012","frame":7,"at_fault":"client","message":"beyond the ring"}' "$1"
}
demo_record "$(finding deviation)" "$(finding fail)"
expect "the demo as intended" 0 lab_function verdict_table demo.json
says "broken: b.pcap, frame 7: CURSOR-012 broken by the client"
demo_record "" ""
expect "a broken capture that nobody noticed" 1 lab_function verdict_table demo.json
demo_record "$(finding fail)" "$(finding fail)"
expect "a fail in a real capture" 1 lab_function verdict_table demo.json

mkdir "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/dpkg-query"
printf '#!/bin/sh\necho 1000\n' >"$work/bin/id"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/sudo"
chmod +x "$work"/bin/*
PATH=$work/bin:$PATH expect "packages missing, neither root nor sudo" 77 lab_function need check tshark </dev/null
says "apt-get install check tshark"

expect "no command" 2 bash "$work/lab"
expect "unknown command" 2 bash "$work/lab" dance
expect "help" 0 bash "$work/lab" --help
says "usage: ./lab COMMAND"
expect "help of one command" 0 bash "$work/lab" test --help
says "usage: ./lab COMMAND"
for word in demo test build nightly coverage fuzz bench; do says "  $word "; done

printf '%s checks, %s failures\n' "$checks" "$failures"
[ "$failures" = 0 ]
