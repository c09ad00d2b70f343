#!/bin/sh
# Slips that a reader would find first: files of more than one idea, unfinished marks, paths of one machine,
# quantities without a unit.
#   names.sh SOURCE_DIR
set -eu
cd "$1"
status=0
complain() {
    printf '%s\n' "$1"
    status=1
}

# What belongs to the repository: what git would take, or all but build outputs where there is no git.
listed() {
    if [ -e .git ] && command -v git >/dev/null 2>&1; then
        git ls-files -co --exclude-standard | while IFS= read -r path; do
            [ ! -f "$path" ] || printf '%s\n' "$path"
        done
    else
        find . -type f ! -path './build/*' ! -path './out/*' ! -path './.git/*' | sed 's|^\./||'
    fi | LC_ALL=C sort
}
files=$(listed)
texts=$(printf '%s\n' "$files" | grep -vE '^tests/(bad|fuzz/corpus)/.*/' || true)
c_files=$(printf '%s\n' "$files" | grep -E '\.(c|h|cu|cuh)$' || true)
headers=$(printf '%s\n' "$files" | grep -E '^(sim|quant)/.*\.h$' || true)

for path in $c_files; do
    lines=$(wc -l <"$path")
    [ "$lines" -le 600 ] || complain "$path: $lines lines: more than one idea (the limit is 600)"
done

# Each pattern is written so that this file does not hold what it looks for.
marks='(TO''DO|FIX''ME|X''XX|HA''CK|not imple''mented|place''holder)'
# shellcheck disable=SC2086 # lists of paths without blanks, here and below
found=$(printf '%s\n' "$texts" | xargs grep -nwIE "$marks" /dev/null || true)
[ -z "$found" ] || complain "unfinished marks:
$found"

paths='(^|[^A-Za-z0-9_.}])/(ho''me|ro''ot|wo''rk|fa''rm|Use''rs)/|\.\./sha''red'
found=$(printf '%s\n' "$texts" | xargs grep -nIE "$paths" /dev/null || true)
[ -z "$found" ] || complain "paths of one machine:
$found"

# A field that measures something ends in its unit. Ratios are _frac, counts per second name what they count.
if [ -n "$headers" ]; then
    found=$(printf '%s\n' "$headers" | LC_ALL=C xargs awk '
        /^[ \t]*(const[ \t]+)?(double|float|int64_t)[ \t]+[a-z_]/ && !/\(/ {
            code = $0
            sub(/\/\*.*/, "", code)
            sub(/;.*/, "", code)
            sub(/^[ \t]*(const[ \t]+)?[a-z0-9_]+[ \t]+/, "", code)
            count = split(code, names, /[ \t]*,[ \t]*/)
            for (i = 1; i <= count; i++) {
                name = names[i]
                sub(/[ \t]*(\[|=).*/, "", name)
                if (name ~ /(latency|bandwidth|energy|power|area|clock|capacity|frequency|leakage|slack|utilization|memory|time)/ &&
                    name !~ /_(bits|bytes|kib|mib|gib|words|cycles|s|ms|us|ns|mhz|ghz|gb_s|pj|mj|j|w|mw|uw|mm2|um2|frac|pct|v|nm|count)$/ &&
                    name !~ /_per_[a-z0-9_]+$/)
                    printf "%s:%d: %s has no unit in its name\n", FILENAME, FNR, name
            }
        }')
    [ -z "$found" ] || complain "quantities without a unit:
$found"
fi
exit $status
