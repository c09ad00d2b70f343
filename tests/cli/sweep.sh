# Sweeps from the command line: what is stored and printed, stopping and going on, two at once, disks that are full.
# SIMACC_KILLS: how often a sweep is killed before its store is compared (4).
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"
model=$source/workloads/llama2_7b_decode.json
kills=${SIMACC_KILLS:-4}

# sweep_case CODE ARGUMENT...: like run_case, but stderr may tell of progress.
sweep_case() {
    wanted=$1
    shift
    "$simacc" "$@" >out 2>err
    code=$?
    [ $code -eq "$wanted" ] || fail "exit code $code, not $wanted: simacc $*: $(cat err)"
    ! grep -q Sanitizer err || fail "simacc $*: $(cat err)"
}
rows() { "$simacc" export "$1" --where true | tail -n +2 | wc -l; }

# ---- store and export

sweep_case 0 sweep "$arch" "$model" --bits w=2..8,a=4,8 -o a.db
[ ! -s out ] || fail "something on stdout: $(head -n 3 out)"
says "100%: 14 of 14 points"
says "a.db: 14 points priced"
run_case 0 run "$arch" "$model" --policy w3a8 --csv
latency=$("$simacc" run "$arch" "$model" --policy w3a8 --json | sed -n 's/^ *"latency_s": \([^,]*\),.*/\1/p' | head -n 1)
run_case 0 export a.db --csv --where 'w = 3 AND a = 8' --columns policy,latency_s
[ "$(cat out)" = "policy,latency_s
w3a8,$latency" ] || fail "not what run says ($latency): $(cat out)"
sweep_case 0 sweep "$arch" "$model" --bits w=2..8,a=4,8 -o a.db
says "a.db: 0 points priced, 14 were there"
run_case 0 export a.db --csv
mv out a.csv
run_case 0 export a.db -o b.csv
cmp -s a.csv b.csv || fail "-o writes something else than stdout"
run_case 0 export a.db --pareto latency_s,energy_j --columns w,a
[ "$(tail -n +2 out)" = 2,4 ] || fail "the front is $(cat out)"
run_case 2 export a.db --where 'w = 3; DELETE FROM points'
run_case 2 export a.db --where 'w IN (SELECT load_extension(1))'
run_case 2 export a.db --columns wights
run_case 2 export a.db --pareto latency_s
run_case 3 export nowhere.db
[ "$(rows a.db)" -eq 14 ] || fail "rows are gone"

# The same as a file, whose paths count from its folder.
mkdir folder
cp "$arch" folder/mine.cfg
cat >folder/sweep.cfg <<END
arch = "mine.cfg";
workload = "$model";
axes = { w = "2..8"; a = [4, 8]; };
END
sweep_case 0 sweep folder/sweep.cfg -o f.db
[ "$("$simacc" export f.db)" = "$(cat a.csv)" ] || fail "a file gives other rows than options"

run_case 0 sweep "$arch" "$model" --bits w=2..8,a=4,8 --set-axis array.rows=1..1000 --filter 'w <= a' --dry-run
prints "14000"
prints "10000 by the filter"
prints points/s
[ ! -e results.db ] || fail "a dry run writes"

# ---- layers, shards, merge

sweep_case 0 sweep "$arch" "$model" --bits w=4,a=4,8 --layers -o l.db
run_case 0 export l.db --layers
prints layers.0-31.q_proj
for i in 0 1 2; do
    sweep_case 0 sweep "$arch" "$model" --bits w=2..8,a=4,8 --shard $i/3 -o s%d.db
done
sweep_case 0 merge all.db s0.db s1.db s2.db
sweep_case 0 merge all.db s2.db s0.db
says "all.db: 0 points added from s0.db"
[ "$("$simacc" export all.db)" = "$(cat a.csv)" ] || fail "merged shards differ from the whole"
for job in SLURM_ARRAY_TASK_ID:SLURM_ARRAY_TASK_COUNT OMPI_COMM_WORLD_RANK:OMPI_COMM_WORLD_SIZE PMI_RANK:PMI_SIZE \
    JOB_COMPLETION_INDEX:SIMACC_SHARDS; do
    env "${job%:*}=1" "${job#*:}=3" "$simacc" sweep "$arch" "$model" --bits w=2..8,a=4,8 -o auto%d.db 2>err ||
        fail "$job: $(cat err)"
    [ "$("$simacc" export auto1.db)" = "$("$simacc" export s1.db)" ] || fail "$job: not the second of three shards"
    rm auto1.db
done
# Slurm's arrays may begin at any number.
SLURM_ARRAY_TASK_ID=6 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_COUNT=3 "$simacc" sweep "$arch" "$model" \
    --bits w=2..8,a=4,8 --shard auto -o auto%d.db 2>err || fail "an array from 5 on: $(cat err)"
[ "$("$simacc" export auto1.db)" = "$("$simacc" export s1.db)" ] || fail "an array from 5 on: another shard"

# ---- fronts, and four threads: what a build with ThreadSanitizer looks at

for jobs in 1 4; do
    sweep_case 0 sweep "$arch" "$model" --bits w=2..8,a=2..8 --set-axis array.rows=8..64:8 --jobs $jobs \
        --optimize latency_s,energy_j --evaluations 150 --layers -o o$jobs.db
    says "o$jobs.db: 150 points priced"
done
"$simacc" export o1.db --where true >o1.csv
"$simacc" export o4.db --where true | cmp -s - o1.csv || fail "the search for a front depends on the threads"
for option in "--sample 5" "--shard 0/2"; do
    # shellcheck disable=SC2086 # two words
    sweep_case 2 sweep "$arch" "$model" --bits w=4,a=8 --optimize latency_s,energy_j $option -o x.db
done

# ---- killed at any moment

axes="--bits w=1..8,a=1..8,kv=1..8 --set-axis context=1024..16384:1024"
# shellcheck disable=SC2086 # several words
{
    sweep_case 0 sweep "$arch" "$model" $axes --jobs 2 -o whole.db
    "$simacc" export whole.db --where true >whole.csv
    [ "$(wc -l <whole.csv)" -eq 8193 ] || fail "$(wc -l <whole.csv) lines"

    done=0
    while [ $done -lt "$kills" ]; do
        "$simacc" sweep "$arch" "$model" $axes --jobs 2 -o k.db 2>err &
        process=$!
        sleep "$(awk -v n="$done" -v p=$process 'BEGIN { srand(p + n); printf "%.3f", 0.02 + 0.5 * rand() }')"
        kill -9 $process 2>/dev/null && done=$((done + 1))
        wait $process 2>/dev/null
        if [ $? -eq 0 ]; then # it had finished
            "$simacc" export k.db --where true | cmp -s - whole.csv || fail "a resumed sweep differs"
            rm -f k.db
        elif [ -s k.db ]; then # what is there is whole, unless it was killed before there were tables
            "$simacc" export k.db --where 'status IS NULL' >out 2>err || grep -q 'is empty' err ||
                fail "unreadable after a kill: $(cat err)"
            [ "$(wc -l <out)" -le 1 ] || fail "half a row"
        fi
    done
    sweep_case 0 sweep "$arch" "$model" $axes --jobs 2 -o k.db
    "$simacc" export k.db --where true | cmp -s - whole.csv || fail "a resumed sweep differs"

    # ---- two at once, on one store

    "$simacc" sweep "$arch" "$model" $axes --jobs 1 -o two.db 2>err1 &
    first=$!
    "$simacc" sweep "$arch" "$model" $axes --jobs 1 -o two.db 2>err2 || fail "the second of two: $(cat err2)"
    wait $first || fail "the first of two: $(cat err1)"
    "$simacc" export two.db --where true | cmp -s - whole.csv || fail "two processes left something else"

    # ---- interrupted: what is finished is kept

    for signal in INT:130 TERM:143; do
        rm -f i.db
        env --default-signal=INT "$simacc" sweep "$arch" "$model" $axes --set-axis array.rows=8..64:4 --jobs 1 -o i.db 2>err &
        process=$!
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            sleep 0.3
            [ -s i.db ] && grep -q '0%' err && break
        done
        kill -${signal%:*} $process
        wait $process
        code=$?
        [ $code -eq ${signal#*:} ] || fail "SIG${signal%:*}: exit code $code: $(cat err)"
        kept=$(sed -n 's/^i.db: \([0-9]*\) points priced.*/\1/p' err)
        [ -n "$kept" ] && [ "$kept" -gt 0 ] || fail "SIG${signal%:*}: nothing was finished: $(cat err)"
        [ "$(rows i.db)" -eq "${kept:-0}" ] || fail "SIG${signal%:*}: $kept points were finished, $(rows i.db) are there"
    done

    # ---- no room: what was stored before is kept

    rm -f small.db
    (
        ulimit -f 1000
        exec "$simacc" sweep "$arch" "$model" $axes --jobs 2 -o small.db 2>err
    )
    code=$?
    [ $code -eq 5 ] || fail "no room: exit code $code: $(cat err)"
    says small.db
    "$simacc" export small.db --where 'latency_s IS NULL' >out 2>err || fail "no room: unreadable: $(cat err)"
    [ "$(wc -l <out)" -le 1 ] || fail "no room: half a row"
    sweep_case 0 sweep "$arch" "$model" $axes --jobs 2 -o small.db
    "$simacc" export small.db --where true | cmp -s - whole.csv || fail "no room, then room: something else"
}

# ---- places that cannot be written to

sweep_case 5 sweep "$arch" "$model" --bits w=4,a=8 -o /proc/nowhere.db
says /proc/nowhere.db
sweep_case 5 sweep "$arch" "$model" --bits w=4,a=8 -o nowhere/x.db
echo "this is my thesis" >thesis.txt
sweep_case 5 sweep "$arch" "$model" --bits w=4,a=8 -o thesis.txt
says "give another name"
[ "$(cat thesis.txt)" = "this is my thesis" ] || fail "a file that is no store was written to"
if [ "$(id -u)" -ne 0 ]; then
    cp a.db r.db
    chmod a-w r.db
    sweep_case 5 sweep "$arch" "$model" --bits w=4,a=8 -o r.db
    says "cannot be written to"
fi

exit $failed
