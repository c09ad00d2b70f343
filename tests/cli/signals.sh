# Interrupted: exit code 130 (or 128 + the signal's number), nothing left behind. A pipe that nobody reads
# holds the program at a known place.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

for signal in INT:130 TERM:143 HUP:129; do
    rm -f pipe
    mkfifo pipe
    # A shell ignores SIGINT for what it starts in the background; perl or python could undo that, env can too.
    env --default-signal=INT "$simacc" run "$arch" "$workload" --json -o pipe 2>err &
    process=$!
    sleep 0.5
    kill -"${signal%:*}" $process
    wait $process
    code=$?
    [ $code -eq "${signal#*:}" ] || fail "SIG${signal%:*}: exit code $code: $(cat err)"
    [ ! -s err ] || fail "SIG${signal%:*}: $(cat err)"
done
no_leftovers .

# A signal that the parent ignores stays ignored, as nohup relies on.
rm -f pipe
mkfifo pipe
(
    trap '' HUP
    exec "$simacc" run "$arch" "$workload" --json -o pipe
) &
process=$!
sleep 0.5
kill -HUP $process
timeout 20 cat pipe >out
wait $process || fail "an ignored SIGHUP ended the program"
[ -s out ] || fail "no answer after an ignored SIGHUP"

exit $failed
