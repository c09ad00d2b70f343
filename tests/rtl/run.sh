#!/bin/sh
# The systolic back end against Verilog arrays that compute every product, under Icarus Verilog.
#   run.sh SOURCE_DIR BUILD_DIR
set -eu
here=$1/tests/rtl
cases=$2/tests/rtl_cases

for tool in iverilog vvp; do
    command -v $tool >/dev/null 2>&1 || {
        echo "skipped: no $tool (Icarus Verilog); ./run test installs it"
        exit 77
    }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$cases" write "$work"
for file in "$work"/*.cases; do
    name=$(basename "$file" .cases) # ws_4x3
    kind=${name%%_*}
    size=${name#*_}
    iverilog -g2005 -Wall -I"$here" -s "${kind}_bench" -P"${kind}_bench.ROWS=${size%x*}" \
        -P"${kind}_bench.COLS=${size#*x}" -o "$work/$name.vvp" \
        "$here/${kind}_bench.v" "$here/${kind}_array.v" "$here/delay.v"
    vvp "$work/$name.vvp" "+cases=$file" >"$work/$name.out"
done
"$cases" check "$work"
