#!/bin/sh
# Bad input: what simacc says, word for word, and how it exits.
#   run.sh SIMACC SOURCE_DIR
# Each folder tests/bad/<room>/<case>/ holds
#   cmd       the arguments, as a shell would read them; run inside the folder
#   exit      the exit code
#   expected  all of stderr
# and stdout must stay empty: it carries only answers.
set -eu
simacc=$1
cases=$2/tests/bad
export LC_ALL=C NO_COLOR=1 TERM=dumb
unset SIMACC_DATA

simacc() { "$simacc" "$@"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0
for cmd in "$cases"/*/*/cmd; do
    [ -e "$cmd" ] || break
    folder=$(dirname "$cmd")
    count=$((count + 1))
    status=0
    (cd "$folder" && eval "simacc $(cat cmd)") >"$work/out" 2>"$work/err" </dev/null || status=$?
    wrong=
    [ "$status" = "$(cat "$folder/exit")" ] || wrong="$wrong exit code $status instead of $(cat "$folder/exit");"
    cmp -s "$folder/expected" "$work/err" || wrong="$wrong other words on stderr;"
    [ ! -s "$work/out" ] || wrong="$wrong something on stdout;"
    if [ -n "$wrong" ]; then
        failed=$((failed + 1))
        echo "${folder#"$cases/"}:$wrong"
        diff "$folder/expected" "$work/err" || true
        head -n 5 "$work/out"
    fi
done
echo "$count cases, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" = 0 ]
