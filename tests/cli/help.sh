# Help: there for everything, complete, and no wider than 100 columns.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

check_text() {
    [ "$(wc -l <out)" -ge 3 ] || fail "too short: simacc $*"
    [ "$(awk 'length > 100' out | wc -l)" -eq 0 ] || fail "wider than 100 columns: simacc $*: $(awk 'length > 100' out)"
    ! grep -q ' $' out || fail "trailing spaces: simacc $*"
    ! LC_ALL=C grep -q '[^ -~]' out || fail "not plain ASCII: simacc $*"
}

run_case 0 --version
[ "$(head -n 1 out)" = "simacc 0.1.0" ] || fail "--version: $(cat out)"

run_case 0 --help
check_text --help
mv out overview
run_case 0 help
cmp -s out overview || fail "help and --help differ"
for command in run table sweep export merge plot calibrate import list validate help; do
    grep -q "^  $command " overview || fail "'$command' is not in the overview"
    run_case 0 help $command
    check_text help $command
    prints "Usage: simacc $command"
    mv out text
    run_case 0 $command --help
    cmp -s out text || fail "help $command and $command --help differ"
done
for topic in arch workload policy; do
    run_case 0 help $topic
    check_text help $topic
done

# Each option of the contract has a line of its own.
run_case 0 help run
for option in --policy --set --objective --phase --batch --context --prompt --json --csv -o --trace; do
    grep -q "^  $option[ ]" out || fail "help run does not tell of $option"
done
run_case 0 help table
for option in --bits --set --objective --phase --batch --context --prompt --full-attention -o; do
    grep -q "^  $option[ ]" out || fail "help table does not tell of $option"
done
# --help wins over what is wrong beside it.
run_case 0 run --help --frobnicate

# Each key of the shipped files is told of, with the back ends' own keys.
run_case 0 help arch
for key in name backend clock_mhz array.rows array.cols array.dataflow array.timing array.count array.w_bits \
    array.a_bits array.acc_bits array.port_bits output_bits output_read_first buffers.weight_kib \
    buffers.input_kib buffers.output_kib buffers.unified_kib buffers.double_buffered mapper.tiles \
    mapper.slack_frac mapper.latency dram.efficiency dram.type dram.bandwidth_gb_s dram.capacity_gib \
    dram.layout vector.lanes tech; do
    grep -q "^ *$key " out || fail "help arch does not tell of $key"
done
prints "Back end 'systolic'"
prints "Back end 'bitfusion'"

# The examples of the help are files that can be used.
run_case 0 help arch
awk '/^  name = /, /^  tech = /' out >example.cfg
run_case 0 help workload
awk '/^  {"name": "two_layers"/, /}]}/' out >layers.json
awk '/^  {"name": "my_decode"/, /}/' out | sed "s|models/|$source/workloads/models/|" >model.json
run_case 0 help policy
awk '/^  {"name": "mixed"/, /}]}/' out >mixed.json
run_case 0 run example.cfg layers.json --policy mixed.json --json
prints '"arch": "my_edge"'
prints '"policy": "mixed"'
run_case 0 run example.cfg model.json --policy mixed.json --csv
grep -q '^layers.0-1.gate_proj,matmul,2,1,11008,4096,1,int,8,' out || fail "the example policy does not work as told"
grep -q '^layers.2-31.gate_proj,matmul,30,1,11008,4096,1,int,4,' out || fail "the example policy does not work as told"
grep -q '^layers.[^,]*.down_proj,matmul,[0-9]*,1,4096,11008,1,int,8,' out || fail "the example policy does not work as told"


# The list by position is a policy for as many layers.
run_case 0 help policy
grep '^  \[\[' out >positions.json
run_case 3 run example.cfg layers.json --policy ./positions.json
says "bits for 3 layers by position, but workload 'two_layers' has 2"

exit $failed
