#!/bin/sh
# Runs every command that README.md shows: the lines of its ```sh blocks that start with "$ ". What stands
# below such a line is its output and must be what the command prints (stdout and stderr); a line "..."
# stands for any number of lines. A command with nothing below it only has to succeed.
#   readme_commands.sh SOURCE_DIR BUILD_DIR      BUILD_DIR holds simacc
# `./run test` is left out: this script is one of its tests.
set -eu
top=$1
build=$2
case $build in /*) ;; *) build=$PWD/$build ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$top"
mkdir -p out # which ./run makes, and the commands write to

# Writes <n>.cmd and, where there is output to compare, <n>.want.
awk -v work="$work" '
    /^```/ { if (inside) { inside = 0; name = "" } else if ($0 ~ /^```sh[ \t]*$/) inside = 1; next }
    !inside { next }
    more { print > cmd; more = /\\$/; next }
    /^\$ / {
        n++
        name = sprintf("%s/%03d", work, n)
        cmd = name ".cmd"
        print substr($0, 3) > cmd
        more = /\\$/
        next
    }
    name != "" { print > (name ".want") }
' README.md

# matches WANT GOT
matches() {
    awk '
        NR == FNR { want[++w] = $0; next }
        { got[++g] = $0 }
        END {
            # Greedy matching of runs between "..." lines: star is the last "..." seen, mark where it stood.
            i = j = 1
            star = 0
            while (j <= g) {
                if (i <= w && want[i] == "...") { star = i++; mark = j }
                else if (i <= w && want[i] == got[j]) { i++; j++ }
                else if (star) { i = star + 1; j = ++mark }
                else exit 1
            }
            while (i <= w && want[i] == "...") i++
            exit i <= w
        }' "$1" "$2"
}

count=0
failed=0
for cmd in "$work"/*.cmd; do
    [ -e "$cmd" ] || break
    text=$(cat "$cmd")
    case $text in
    "./run test"*)
        continue
        ;;
    esac
    count=$((count + 1))
    got=${cmd%.cmd}.got
    want=${cmd%.cmd}.want
    if ! PATH=$build:$PATH NO_COLOR=1 sh -e "$cmd" >"$got" 2>&1 </dev/null; then
        printf 'README command failed: %s\n' "$text"
        tail -n 20 "$got"
        failed=$((failed + 1))
    elif [ -e "$want" ] && ! matches "$want" "$got"; then
        printf 'README shows another output than: %s\n' "$text"
        diff "$want" "$got" || true
        failed=$((failed + 1))
    else
        printf 'ok: %s\n' "$text"
    fi
done
[ "$count" -gt 0 ] || {
    echo "README.md shows no command" >&2
    exit 1
}
printf '%d commands, %d failed\n' "$count" "$failed"
[ "$failed" -eq 0 ]
