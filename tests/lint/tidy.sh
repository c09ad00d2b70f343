#!/bin/sh
# clang-tidy over the library, the command line and the tests, with the checks of .clang-tidy. New versions add
# checks: 14 decides.
#   tidy.sh SOURCE_DIR BUILD_DIR      BUILD_DIR holds compile_commands.json
set -eu
top=$1
build=$2

tool=
for name in clang-tidy-14 clang-tidy; do
    if command -v "$name" >/dev/null 2>&1 && "$name" --version | grep -q 'version 14\.'; then
        tool=$name
        break
    fi
done
[ -n "$tool" ] || {
    echo "skipped: no clang-tidy of version 14"
    exit 77
}

cd "$top"
# One process per file; the complaints go to stdout, the count of suppressed ones to /dev/null.
find sim quant -name '*.c' | LC_ALL=C sort |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 "$tool" --quiet -p "$build" 2>/dev/null
