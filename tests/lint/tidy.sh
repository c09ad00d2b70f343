#!/bin/sh
# clang-tidy over the library and the command line, with the checks of .clang-tidy. New versions add
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
# One process per file; complaints go to stdout, the count of what was left out to stderr. The commands are the
# compiler's, which has options that clang does not know.
find sim quant -name '*.c' | LC_ALL=C sort |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 "$tool" --quiet -p "$build" \
        --extra-arg=-Wno-ignored-optimization-argument --extra-arg=-Wno-unknown-warning-option 2>/dev/null
