# Files that cannot be used: exit code 3, and a hint where one can be given.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

run_case 3 run "$source/arch/edg.cfg" "$workload"
says "$source/arch/edg.cfg: error: "
says "did you mean '$source/arch/edge.cfg'?"
run_case 3 run "$arch" "$source/workloads/llama2_7b_decod.json"
says "did you mean '$source/workloads/llama2_7b_decode.json'?"
# A bare name is looked for among what is shipped.
run_case 3 run edge "$workload"
says "did you mean '$source/arch/edge.cfg'?"
run_case 3 run "$arch" llama2_7b_decode
says "did you mean '$source/workloads/llama2_7b_decode.json'?"
run_case 3 run frobnicate "$workload"
says "'simacc list arch' shows what is shipped"

# In the current folder the hint is what can be typed.
cp "$arch" mine.cfg
sed -i '/@include/d' mine.cfg
run_case 3 run mien.cfg "$workload"
says "did you mean 'mine.cfg'?"

# Errors of all three inputs are reported together.
run_case 3 run nowhere/a.cfg nowhere/w.json --policy nowhere/p.json
[ "$(grep -c error: err)" -eq 3 ] || fail "not three errors: $(cat err)"
run_case 3 run "$source/arch" "$workload"
run_case 3 run "$arch" /dev/null
run_case 3 run "$arch" "$workload" --policy w4
run_case 3 run "$arch" "$workload" --policy x9y9
run_case 3 run "$arch" "$workload" --set array.rows=0
run_case 3 run "$arch" "$workload" --set array.rwos=16
says "hint: did you mean 'rows'?"
run_case 3 run "$arch" "$workload" --set array.rows=many

# A file that fails leaves no output behind.
run_case 3 run "$arch" nowhere.json -o result.json --trace trace.json
[ ! -e result.json ] && [ ! -e trace.json ] || fail "a failed run wrote a file"

exit $failed
