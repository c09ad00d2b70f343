#!/bin/sh
# Who may include whom, where third-party libraries live, and what library code never does.
#   layering.sh SOURCE_DIR
set -eu
top=$1
here=$(dirname -- "$0")

files=$(find "$top/sim" "$top/quant" -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)
[ -n "$files" ] || {
    echo "no C files under $top/sim and $top/quant" >&2
    exit 1
}
# shellcheck disable=SC2086 # a list of paths without blanks
LC_ALL=C awk -v root="$top/" -f "$here/layering.awk" $files
