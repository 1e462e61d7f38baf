#!/bin/bash
# Builds Debian's ns-3 again, with MPI: build.sh DIR. The source comes from Debian's archive, by apt; nothing outside DIR changes.
# SPDX-License-Identifier: BSD-3-Clause
#
# Wants: g++ cmake ninja-build dpkg-dev libopenmpi-dev openmpi-bin. Only the modules that sim/ns3 uses are built, with -O2:
# about 300 files. Ends with the result in DIR/lib and DIR/include.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: build.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
for tool in g++ cmake ninja dpkg-source mpicxx apt-get; do
    command -v "$tool" >/dev/null || { echo "build.sh: no $tool: apt install g++ cmake ninja-build dpkg-dev libopenmpi-dev openmpi-bin" >&2; exit 77; }
done
have=$(dpkg-query -W -f '${source:Version}' libns3-dev 2>/dev/null) || { echo "build.sh: libns3-dev is not installed: which version?" >&2; exit 77; }

# The machine's own archives, asked for sources; lists and caches of our own, so that nobody has to be root.
fetch() {
    local apt=$dir/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources"
    find "$apt/sources" -type f -delete
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -f "$file" ] || sed -n 's/^deb /deb-src /p' "$file" > "$apt/sources/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ ! -f "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" > "$apt/sources/$(basename "$file")"
    done
    local options=(-o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/sources")
    [ "$(id -u)" -ne 0 ] || options+=(-o APT::Sandbox::User=root)
    apt-get "${options[@]}" -qq update
    (cd "$dir" && apt-get "${options[@]}" -qq --only-source --download-only source "ns3=$have")
    dpkg-source --no-check -x "$dir"/ns3_"$have".dsc "$dir/source"
}

[ -d "$dir/source" ] || fetch
source=$(dirname "$(find "$dir/source" -maxdepth 3 -path '*/src/core' -prune -printf '%h\n' | head -1)")
[ -f "$source/src/core/CMakeLists.txt" ] || { echo "build.sh: $dir/source is not the source of ns-3" >&2; exit 1; }
cmake -S "$source" -B "$dir/build" -G Ninja -DCMAKE_BUILD_TYPE=release -DCMAKE_INSTALL_PREFIX="$dir" -DCMAKE_INSTALL_LIBDIR=lib \
    -DNS3_MPI=ON -DNS3_ENABLED_MODULES="core;network;traffic-control;mpi" -DNS3_TESTS=OFF -DNS3_EXAMPLES=OFF -DNS3_PYTHON_BINDINGS=OFF \
    -DNS3_WARNINGS_AS_ERRORS=OFF -DNS3_PRECOMPILE_HEADERS=OFF -DNS3_CCACHE=ON
ninja -C "$dir/build" install
