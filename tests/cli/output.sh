# Where the answer goes: whole or not at all, and every failed write is told.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

go() {
    code=$1
    shift
    run_case "$code" run "$arch" "$workload" --policy w4a8 --json "$@"
}

go 0
mv out plain.json

# A new file, the same bytes, with the permissions that the umask leaves.
(umask 027 && "$simacc" run "$arch" "$workload" --policy w4a8 --json -o new.json) || fail "-o new.json"
cmp -s plain.json new.json || fail "-o differs from stdout"
[ "$(ls -l new.json | cut -c1-10)" = -rw-r----- ] || fail "permissions: $(ls -l new.json)"
go 0 -o second.json
[ ! -s out ] || fail "with -o, stdout is not empty"
go 0 -o-
cmp -s plain.json out || fail "-o - is not stdout"

# An old file is replaced and keeps its permissions; a link stays a link.
echo old >old.json
chmod 604 old.json
ln -s old.json link.json
go 0 -o link.json
cmp -s plain.json old.json || fail "the target of a link was not replaced"
[ -L link.json ] || fail "the link was replaced"
[ "$(ls -l old.json | cut -c1-10)" = -rw----r-- ] || fail "permissions: $(ls -l old.json)"

# A full disk, as a limit on the size of files: the old file stays, nothing is left behind.
echo old >old.json
(
    ulimit -f 1
    "$simacc" run "$arch" "$workload" --policy w4a8 --json -o old.json 2>err
    [ $? -eq 5 ]
) || fail "beyond the size limit: $?"
says "old.json: error: cannot write: "
[ "$(cat old.json)" = old ] || fail "the old file did not survive a failed write"
no_leftovers .
(
    ulimit -f 1
    "$simacc" run "$arch" "$workload" --policy w4a8 --json >limited.json 2>err
    [ $? -eq 5 ]
) || fail "stdout beyond the size limit: $?"
says "stdout: error: cannot write: "

# Devices are written directly, and stay.
go 0 -o /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"
if [ -c /dev/full ]; then
    go 5 -o /dev/full
    says "/dev/full: error: cannot write: "
    [ -c /dev/full ] || fail "/dev/full was replaced"
    go 5 --trace /dev/full
    "$simacc" run "$arch" "$workload" >/dev/full 2>err
    [ $? -eq 5 ] || fail "stdout to /dev/full"
    says "stdout: error: cannot write: "
    for command in --version --help help list; do
        "$simacc" $command >/dev/full 2>err
        [ $? -eq 5 ] || fail "$command to /dev/full"
    done
fi
mkfifo pipe
timeout 20 cat pipe >piped.json &
go 0 -o pipe
wait $!
[ -p pipe ] && cmp -s plain.json piped.json || fail "-o onto a pipe"

# A reader that goes away, and no stdout at all.
mkfifo broken
(
    exec <broken
    exec <&-
) &
(
    exec >broken
    wait
    sleep 0.2
    "$simacc" run "$arch" "$workload" --json 2>err
    echo $? >code
)
wait
[ "$(cat code)" -eq 5 ] || fail "a closed pipe: $(cat code)"
says "stdout: error: cannot write: "
"$simacc" run "$arch" "$workload" >&- 2>err
[ $? -eq 5 ] || fail "a closed stdout"
says "stdout: error: cannot write: "
"$simacc" run "$arch" "$workload" --json -o closed.json >&- || fail "-o with a closed stdout"
cmp -s closed.json new.json || "$simacc" run "$arch" "$workload" --json | cmp -s - closed.json ||
    fail "-o with a closed stdout wrote something else"

# Places where nothing can be written.
go 5 -o nowhere/x.json
says "nowhere/x.json: error: cannot write: No such file or directory"
go 5 -o old.json/x.json
go 5 -o .
says ".: error: cannot write: Is a directory"
go 5 -o ''
go 5 --trace nowhere/x.json
mkdir locked
echo old >locked/old.json
echo old >readonly.json
chmod 444 readonly.json
chmod 555 locked
if ! [ -w locked ]; then # root may write anywhere
    go 5 -o locked/new.json
    go 5 -o locked/old.json
    [ "$(cat locked/old.json)" = old ] || fail "a file in a locked folder changed"
    go 5 -o readonly.json
    [ "$(cat readonly.json)" = old ] || fail "a read-only file changed"
fi
chmod 755 locked
no_leftovers locked
no_leftovers .

# Names that a shell or printf could trip over.
go 0 -o ' -%s$(x) .json'
cmp -s plain.json ' -%s$(x) .json' || fail "an odd file name"
go 0 -o"attached.json"
cmp -s plain.json attached.json || fail "-oFILE"

exit $failed
