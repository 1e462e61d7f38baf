#!/bin/bash
# A leaf and spine on one rank and on two, with the ns-3 that build.sh made in DIR: every host must receive the same frames at the same
# nanoseconds (the hash at the end of a line is over times and bytes).
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: two_ranks.sh DIR" >&2; exit 2; }
dir=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
command -v mpirun >/dev/null || { echo "two_ranks.sh: no mpirun: apt install openmpi-bin" >&2; exit 77; }
cmake -S "$here" -B "$dir/smclab" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF -DSMCLAB_NS3_ROOT="$dir" -DSMCLAB_NS3_MPI=ON >/dev/null
ninja -C "$dir/smclab" smclab-ns3-ranks
program=$dir/smclab/sim/ns3/smclab-ns3-ranks
export LD_LIBRARY_PATH=$dir/lib OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
for ranks in 1 2; do
    mpirun --oversubscribe -n "$ranks" "$program" > "$dir/ranks.$ranks"
    sort -o "$dir/ranks.$ranks" "$dir/ranks.$ranks"
done
hosts=$(grep -c 'received 3145728 bytes in 3 connections' "$dir/ranks.1" || true)
[ "$hosts" -eq 16 ] || { echo "two_ranks.sh: $hosts of 16 hosts received everything" >&2; cat "$dir/ranks.1"; exit 1; }
diff "$dir/ranks.1" "$dir/ranks.2"
echo "the same on one rank and on two: 16 hosts, $(awk '{ n += $8 } END { print n }' "$dir/ranks.1") frames"
