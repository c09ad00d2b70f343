# What the pods of tests/cluster/job.yaml run, with the environment that an indexed Job gives them.
simacc=$1 source=$2
. "$source/tests/cluster/lib.inc"
trap 'rm -rf "$scratch"' EXIT
job=$source/tests/cluster/job.yaml

shards=$(sed -n 's/^ *completions: \([0-9]*\).*/\1/p' "$job")
given=$(sed -n 's/^ *value: "\([0-9]*\)".*/\1/p' "$job")
[ -n "$shards" ] && [ "$shards" = "$given" ] || fail "$shards completions, but SIMACC_SHARDS is $given"
options=$(sed -n 's/^ *command: \[simacc, \(.*\)\]$/\1/p' "$job" | tr -d ,)
[ -n "$options" ] || fail "no command in $job"
i=0
while [ $i -lt "$shards" ]; do
    # shellcheck disable=SC2086 # several words
    JOB_COMPLETION_INDEX=$i SIMACC_SHARDS=$given "$simacc" $options 2>err || fail "pod $i: $(cat err)"
    i=$((i + 1))
done
same_as_one all.db "$shards"
exit $failed
