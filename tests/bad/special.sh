#!/bin/sh
# Bad input that cannot be stored as files: too large, not regular, full disks, missing folders, NUL bytes.
#   special.sh SIMACC SOURCE_DIR
set -eu
simacc=$1
top=$2
export LC_ALL=C NO_COLOR=1 TERM=dumb
unset SIMACC_DATA

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp -r "$top/arch" "$top/workloads" .
arch=arch/edge.cfg
workload=workloads/llama2_7b_decode.json
count=0
failed=0

# fails WHAT EXIT WORDS ARGUMENTS...: simacc ARGUMENTS exits with EXIT, says WORDS (a basic regular expression)
# on stderr within 5 seconds and 256 MiB, and nothing on stdout.
fails() {
    what=$1 want=$2 words=$3
    shift 3
    count=$((count + 1))
    status=0
    timeout 5 "$simacc" "$@" >out.txt 2>err.txt </dev/null || status=$?
    if [ "$status" != "$want" ] || ! grep -q -- "$words" err.txt || [ -s out.txt ]; then
        failed=$((failed + 1))
        echo "$what: exit code $status (wanted $want), stderr (wanted '$words'):"
        head -c 2000 err.txt
        head -c 200 out.txt
    fi
}

# ---- files that cannot be read as what they should be

truncate -s 200M large.cfg large.json
fails "an arch of 200 MB" 3 "^large.cfg: error: .*large" run large.cfg $workload
fails "a workload of 200 MB" 3 "^large.json: error: .*large" run $arch large.json
fails "a policy of 200 MB" 3 "^./large.json: error: .*large" run $arch $workload --policy ./large.json
mkdir folder.cfg folder.json
fails "a folder as arch" 3 "^folder.cfg: error: .*\(folder\|directory\|regular file\)" run folder.cfg $workload
fails "a folder as workload" 3 "^folder.json: error: .*\(folder\|directory\|regular file\)" run $arch folder.json
fails "a folder as policy" 3 "^./folder.json: error: .*\(folder\|directory\|regular file\)" run $arch $workload --policy ./folder.json
fails "a missing arch" 3 "^missing.cfg: error: .*No such file" run missing.cfg $workload
fails "a missing workload" 3 "^missing.json: error: .*No such file" run $arch missing.json
fails "a missing policy" 3 "^./missing.json: error: .*No such file" run $arch $workload --policy ./missing.json
if [ "$(id -u)" != 0 ]; then
    cp $arch unreadable.cfg
    chmod 000 unreadable.cfg
    fails "an unreadable arch" 3 "^unreadable.cfg: error: .*Permission denied" run unreadable.cfg $workload
fi
mkfifo pipe.json
fails "a pipe as workload" 3 "^pipe.json: error: .*regular file" run $arch pipe.json
fails "a device as arch" 3 "^/dev/zero: error: .*regular file" run /dev/zero $workload

printf 'name = "x\000y";\n' >nul.cfg
cat $arch >>nul.cfg
fails "NUL bytes in an arch" 3 "^nul.cfg:1: error: .*NUL" run nul.cfg $workload
printf '{"name": "x\000y", "layers": []}\n' >nul.json
fails "NUL bytes in a workload" 3 "^nul.json:1: error: " run $arch nul.json
head -c 100000 "$simacc" >binary.cfg
cp binary.cfg binary.json
fails "a binary as arch" 3 "^binary.cfg:[0-9]*: error: " run binary.cfg $workload
fails "a binary as workload" 3 "^binary.json:[0-9]*: error: " run $arch binary.json
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "["; print "" }' >deep.json
fails "nesting of 100000 in a workload" 3 "^deep.json:1: error: .*deep" run $arch deep.json
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "x = { "; print "" }' >deep.cfg
fails "nesting of 100000 in an arch" 3 "^deep.cfg:[0-9]*: error: " run deep.cfg $workload
printf '@include "loop.cfg"\n' >loop.cfg
fails "an arch that includes itself" 3 "^loop.cfg:[0-9]*: error: " run loop.cfg $workload

# ---- answers that cannot be written

for kind in --json --csv; do
    fails "a full disk ($kind)" 5 "/dev/full: error: .*No space left" run $arch $workload $kind -o /dev/full
    fails "a folder that is missing ($kind)" 5 "missing/out: error: .*No such file" run $arch $workload $kind -o missing/out
    fails "a folder as output ($kind)" 5 "folder.cfg: error: " run $arch $workload $kind -o folder.cfg
done
fails "a full disk for --trace" 5 "/dev/full: error: .*No space left" run $arch $workload -o answer.txt --trace /dev/full

# stdout itself may be full or closed: that is a failed write too.
count=$((count + 1))
status=0
"$simacc" run $arch $workload >/dev/full 2>err.txt </dev/null || status=$?
if [ $status != 5 ] || ! grep -q 'No space left' err.txt; then
    failed=$((failed + 1))
    echo "a full disk behind stdout: exit code $status (wanted 5), stderr:"
    cat err.txt
fi

# A failed write leaves neither half an answer nor a temporary file, and the old answer where it was.
count=$((count + 1))
mkdir atomic
echo old >atomic/answer.csv
(
    ulimit -f 1
    trap '' XFSZ
    status=0
    "$simacc" run $arch $workload --json -o atomic/answer.csv 2>err.txt </dev/null || status=$?
    [ $status = 5 ]
) || {
    failed=$((failed + 1))
    echo "a write beyond the file size limit did not exit with 5:"
    cat err.txt
}
if [ "$(ls atomic)" != answer.csv ] || [ "$(cat atomic/answer.csv)" != old ]; then
    failed=$((failed + 1))
    echo "a failed write left something behind:"
    ls -l atomic
fi

echo "$count cases, $failed failed"
[ "$failed" = 0 ]
