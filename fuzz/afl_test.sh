#!/bin/bash
# Test: every fuzz target builds with AFL++, and afl-fuzz runs one of them with the generated mutator and dictionary.
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail
seconds=${AFL_SECONDS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unset ASAN_OPTIONS UBSAN_OPTIONS # AFL++ insists on its own
export AFL_QUIET=1
if ! cmake -S "$SMCLAB_SOURCE_DIR" -B "$work/build" -DCMAKE_C_COMPILER=afl-clang-fast -DCMAKE_C_COMPILER_LAUNCHER= \
        -DSMCLAB_LIBFUZZER=ON -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=Release >"$work/log" 2>&1; then
    tail -20 "$work/log"
    exit 1
fi
targets=()
for source in "$SMCLAB_SOURCE_DIR"/fuzz/*_fuzz.c; do
    name=$(basename "$source" _fuzz.c)
    targets+=("fuzz.$name")
done
if ! cmake --build "$work/build" -j 2 --target "${targets[@]}" >"$work/log" 2>&1; then
    tail -20 "$work/log"
    exit 1
fi
echo "${#targets[@]} targets built with AFL++: ${targets[*]}"

# Only the generated mutator, so that every execution counted below went through it.
export AFL_CUSTOM_MUTATOR_LIBRARY=$SMCLAB_BUILD_DIR/fuzz/libsmc_afl_mutator.so AFL_CUSTOM_MUTATOR_ONLY=1
export AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
if ! afl-fuzz -V "$seconds" -m none -i "$SMCLAB_SOURCE_DIR/fuzz/corpus/clc" -o "$work/out" \
        -x "$SMCLAB_BUILD_DIR/generated/smc.dict" -- "$work/build/fuzz/fuzz.clc" >"$work/log" 2>&1; then
    tail -20 "$work/log"
    exit 1
fi
value() { sed -n "s/^$1 *: *//p" "$work/out/default/fuzzer_stats"; }
echo "$(value execs_done) executions, $(value execs_per_sec) a second, $(value corpus_found) inputs found, $(value saved_crashes) crashes"
test "$(value execs_done)" -gt 1000
test "$(value corpus_found)" -gt 0
test "$(value saved_crashes)" -eq 0
