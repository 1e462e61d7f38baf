#!/bin/bash
# Builds the fuzz targets for ClusterFuzzLite: its compiler and flags come in CC and CFLAGS, everything goes to $OUT.
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail
source=$SRC/smclab
build=${WORK:-/tmp}/smclab-build

# The machine that runs the targets has none of our libraries: they travel beside the programs. SMCLAB_LIBFUZZER links
# with -fsanitize=fuzzer, which is what LIB_FUZZING_ENGINE holds here.
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_BUILD_TYPE= -DCMAKE_C_FLAGS="${CFLAGS:-}" \
      -DCMAKE_EXE_LINKER_FLAGS='-Wl,-rpath,$ORIGIN/lib' -DCMAKE_SKIP_RPATH=ON -DSMCLAB_LIBFUZZER=ON -DBUILD_TESTING=OFF
targets=()
for file in "$source"/fuzz/*_fuzz.c; do
    targets+=("$(basename "$file" _fuzz.c)")
done
cmake --build "$build" --target "${targets[@]/#/fuzz.}" smc_generated

mkdir -p "$OUT/lib"
for name in "${targets[@]}"; do
    cp "$build/fuzz/fuzz.$name" "$OUT/${name}_fuzzer"
    cp "$build/generated/smc.dict" "$OUT/${name}_fuzzer.dict"
    (cd "$source/fuzz/corpus/$name" && python3 -m zipfile -c "$OUT/${name}_fuzzer_seed_corpus.zip" ./*)
    ldd "$build/fuzz/fuzz.$name" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' |
        grep -vE '/(libc|libm|libgcc_s|libstdc\+\+|libpthread|libdl|librt|libresolv|ld-linux[^/]*)\.so' |
        while read -r library; do cp -L "$library" "$OUT/lib/"; done
done
