#!/bin/bash
# Test: .clusterfuzzlite/build.sh makes targets, dictionaries and seed corpora that run without the build folder.
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src" "$work/out" "$work/work"
ln -s "$SMCLAB_SOURCE_DIR" "$work/src/smclab"
export SRC=$work/src OUT=$work/out WORK=$work/work CC=clang LIB_FUZZING_ENGINE=-fsanitize=fuzzer
export CFLAGS="-O1 -fsanitize=address,fuzzer-no-link"
bash "$SMCLAB_SOURCE_DIR/.clusterfuzzlite/build.sh" >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
rm -r "$work/work"

count=0
for source in "$SMCLAB_SOURCE_DIR"/fuzz/*_fuzz.c; do
    name=$(basename "$source" _fuzz.c)_fuzzer
    mkdir "$work/seeds"
    python3 -m zipfile -e "$OUT/${name}_seed_corpus.zip" "$work/seeds"
    "$OUT/$name" -runs=100 -dict="$OUT/$name.dict" "$work/seeds" >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
    inputs=$(find "$SMCLAB_SOURCE_DIR/fuzz/corpus/${name%_fuzzer}" -type f | wc -l)
    grep -q "INFO: seed corpus: files: " "$work/log" && test "$inputs" -gt 10
    rm -r "$work/seeds"
    count=$((count + 1))
done
test "$count" -ge 6
echo "$count targets built, run with their dictionaries and seed corpora"
