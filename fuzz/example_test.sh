#!/bin/bash
# Test: a stranger fuzzes a foreign parser with nothing but what is installed; the naive one agrees with smclab on the
# seeds and is caught by the first mutations.
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$SMCLAB_BUILD_DIR" --prefix "$prefix" >"$prefix/log" || { tail -5 "$prefix/log"; exit 1; }
data=$prefix/share/smclab/fuzz
libdir=$(dirname "$(find "$prefix" -name libsmc.so)")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir PATH=$prefix/bin:$PATH
test -e "$libdir/libsmc_afl_mutator.so"

cd "$data/examples"
read -ra flags <<<"$(pkg-config --cflags --libs libsmc)"
clang -g -O1 -Wall -Wextra -Werror -fsanitize=fuzzer,address foreign_parser_fuzz.c naive_parser.c "${flags[@]}" \
    -o "$prefix/fuzz"
mkdir "$prefix/new"
cd "$prefix/new"
mapfile -t seeds < <(find "$data/corpus/clc" -type f | sort)
test "${#seeds[@]}" -gt 50
"$prefix/fuzz" "${seeds[@]}" >"$prefix/log" 2>&1 || { tail -20 "$prefix/log"; exit 1; }
echo "${#seeds[@]} seeds: the naive parser and smclab agree"

if "$prefix/fuzz" -runs=5000 -seed=1 -dict="$data/smc.dict" "$prefix/new" "$data/corpus/clc" >"$prefix/log" 2>&1; then
    echo "5000 mutations, and the naive parser was not caught"
    exit 1
fi
grep -E "^the foreign parser says [0-4], smclab says [0-4]$" "$prefix/log"
