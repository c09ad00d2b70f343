# Calibration from the command line: fit, file, score, chart, what is shipped, and what happens without a GPU.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"
data=$source/cuda_ref/data
t4=$source/arch/t4.cfg

# json_number KEY FILE: the first number of that key.
json_number() { sed -n "s/.*\"$1\": *\\(-\\{0,1\\}[0-9.e+-]*\\).*/\\1/p" "$2" | head -n 1; }
# within VALUE LEAST MOST
within() { awk -v x="$1" -v a="$2" -v b="$3" 'BEGIN { exit !(x != "" && x + 0 >= a && x + 0 <= b) }'; }

# ---- fit, write, read, score

{
    head -n 7 "$data/t4_gemm.csv"
    grep -E ',(gemm_fp16|gemm_w8a8),.*,(cublas|cutlass|cublaslt),' "$data/t4_gemm.csv"
} >rows.csv
run_case 0 calibrate --from rows.csv --arch "$t4" --set calibration=none -o made.cfg
for word in cublas cutlass 'held out' roofline 'Not pinned down by these rows' 'from cublaslt'; do
    prints "$word"
done
[ "$(awk 'length > 100' out | wc -l)" -eq 0 ] || fail "wider than 100 columns"
no_leftovers .
cp made.cfg first.cfg
run_case 0 calibrate --from rows.csv --arch "$t4" --set calibration=none -o made.cfg --json
cmp -s made.cfg first.cfg || fail "two fits to the same rows differ"
[ "$(grep -c '"held_out"' out)" -eq 3 ] || fail "--json does not have three kernels: $(cat out)"
run_case 0 run "$t4" "$workload" --policy w8a8 --set calibration=./made.cfg
prints made.cfg

run_case 0 calibrate --with made.cfg --check rows.csv --arch "$t4" --json
for key in n mape_pct median_ape_pct p95_ape_pct bias_pct groups; do
    prints "\"$key\":"
done
[ "$(json_number n out)" = 117 ] || fail "scored $(json_number n out) rows, not 117"
within "$(json_number mape_pct out)" 1 9 || fail "mape_pct $(json_number mape_pct out)"
run_case 0 calibrate --with made.cfg --check rows.csv --arch "$t4" -o report.txt
grep -q '^gemm_w8a8 *cutlass' report.txt || fail "no table: $(cat report.txt)"

# An implementation that the calibration lacks is scored with the default one, and that is said.
sed 's/,cutlass,/,another,/' rows.csv >other.csv
run_case 0 calibrate --with made.cfg --check other.csv --arch "$t4"
prints 'gemm_w8a8 another, burst: not in the calibration; scored with the default implementation'
prints "'cutlass'."
run_case 0 calibrate --with made.cfg --check other.csv --arch "$t4" --json
prints '"basis": "default implementation"'

# ---- few rows

{
    head -n 7 "$data/t4_gemm.csv"
    grep ',gemm_fp16,.*,cublas,' "$data/t4_gemm.csv" | head -n 1
} >one.csv
run_case 0 calibrate --from one.csv --arch "$t4" -o one.cfg
prints 'One row'
{
    head -n 7 "$data/t4_gemm.csv"
    grep ',gemm_fp16,.*,cublas,' "$data/t4_gemm.csv" | awk -F, '!seen[$4 "," $5]++' | head -n 8
} >eight.csv
run_case 0 calibrate --from eight.csv --arch "$t4" -o eight.cfg --json
[ "$(json_number folds out)" = 8 ] || fail "eight shapes are not left out one at a time"
grep -A 0 '"held_out": {' out | grep -q mape_pct || fail "eight shapes have no held-out error: $(cat out)"
run_case 0 calibrate --from eight.csv --refit made.cfg --arch "$t4" -o eight.cfg
for key in q lam k0 al rr th; do
    [ "$(grep -m 1 " $key = " eight.cfg)" = "$(grep -m 1 " $key = " made.cfg)" ] || fail "--refit moved $key"
done
[ "$(grep -m 1 ' c_us = ' eight.cfg)" != "$(grep -m 1 ' c_us = ' made.cfg)" ] || fail "--refit kept c_us"

# Through a pipe to a file, and no answer beside it.
"$simacc" calibrate --from rows.csv --arch "$t4" --set calibration=none -o - >piped.cfg 2>err ||
    fail "-o -: $(cat err)"
sed 's/name = "made"/name = "t4"/' made.cfg | cmp -s - piped.cfg || fail "-o - writes something else"

# ---- whole steps

{
    grep -m 1 '^gpu,' "$data/bert_steps.csv"
    grep '^L4,.*bert_base' "$data/bert_steps.csv"
} >steps.csv
run_case 0 calibrate --steps steps.csv --arch "$source/arch/l4.cfg" --set calibration=none -o steps.cfg
for word in 'steps of tensorrt' 'model and length held out' 'batch held out' t0_us 'int8 mac_fj'; do
    prints "$word"
done
[ "$(awk 'length > 100' out | wc -l)" -eq 0 ] || fail "wider than 100 columns"
grep -q '^    step = {' steps.cfg || fail "no step in the file: $(cat steps.cfg)"
run_case 0 calibrate --steps steps.csv --arch "$source/arch/l4.cfg" --set calibration=none --json
prints '"batch_held_out"'
[ "$(json_number folds out)" = 0 ] || fail "engine kernels have folds of their own"
for engine in '' '--set gpu.engine=tensorrt --set gpu.regime=sustained'; do
    # shellcheck disable=SC2086 # several words
    run_case 0 run "$source/arch/l4.cfg" "$workload" --policy w8a8 --set calibration=./steps.cfg $engine --json
    json_number latency_s out >>latencies
done
[ "$(sort -u latencies | wc -l)" -eq 2 ] || fail "the engine changes nothing: $(cat latencies)"
run_case 0 calibrate --from rows.csv --steps "$data/bert_steps.csv" --arch "$t4" --set calibration=none -o both.cfg
grep -q 'gemm_w8a8_cutlass' both.cfg && grep -q 'gemm_w8a8_tensorrt_sustained' both.cfg || fail "not both: $(cat both.cfg)"
prints 'rows left out: they are of V100'

# ---- what is shipped is what the command writes

mkdir shipped
if sh "$data/calibrate.sh" "$simacc" "$source" shipped >/dev/null 2>err; then
    for name in t4 a100 h100 v100 a30 l4 l40s; do
        # libm may round differently elsewhere: 1% of every number, and the same words.
        awk '
            function same(a, b) { return a == b || (a + 0 != 0 && (a - b) / a < 0.01 && (b - a) / a < 0.01) }
            / residuals = / { skip = 1 }
            skip { if (/\);/) skip = 0; next }
            NR == FNR { a[++n] = $3; gsub(/[;"]/, "", a[n]); next }
            { b = $3; gsub(/[;"]/, "", b); if (!same(a[++k], b)) { print FNR ": " a[k] " is " b; bad = 1 } }
            END { exit bad || n != k || n < 20 }
        ' "$source/arch/calib/$name.cfg" "shipped/$name.cfg" || fail "arch/calib/$name.cfg is not what calibrate.sh writes"
    done
else
    fail "calibrate.sh: $(cat err)"
fi

# ---- chart

if command -v gnuplot >/dev/null; then
    run_case 0 calibrate --from rows.csv --arch "$t4" -o made.cfg --plot chart.svg
    grep -q 'gemm_w8a8 cutlass: 12' chart.svg || fail "the chart does not name its series"
    run_case 0 calibrate --with made.cfg --check rows.csv --arch "$t4" --plot chart.png
    [ "$(dd if=chart.png bs=1 skip=1 count=3 2>/dev/null)" = PNG ] || fail "no PNG was written"
    run_case 5 calibrate --with made.cfg --check rows.csv --arch "$t4" --plot missing/chart.png
fi
mkdir empty
rm -f none.cfg
PATH=$scratch/empty "$simacc" calibrate --from rows.csv --arch "$t4" -o none.cfg --plot none.svg >out 2>err
[ $? -eq 4 ] || fail "without gnuplot: exit code $?"
says 'gnuplot is not installed'
[ ! -s out ] && [ ! -e none.cfg ] || fail "without gnuplot something was answered all the same"

# ---- without a GPU

SIMACC_CUDA_PLUGIN=$scratch/missing.so
export SIMACC_CUDA_PLUGIN
run_case 4 calibrate --gpu -o gpu.cfg
says hint
[ ! -e gpu.cfg ] || fail "a calibration was written without a GPU"

# ---- usage

run_case 2 calibrate
says 'nothing to do'
run_case 2 calibrate --from rows.csv
says 'missing --arch'
run_case 2 calibrate --from rows.csv --gpu --arch "$t4"
says 'exclude each other'
run_case 2 calibrate --with made.cfg --arch "$t4"
says '--with goes with --check'
run_case 2 calibrate --check rows.csv --arch "$t4"
says '--check goes with --with'
run_case 2 calibrate --from rows.csv --arch "$t4" --budget 5
says '--budget goes with --gpu'
run_case 3 calibrate --from rows.csv --arch "$source/arch/edge.cfg"
says 'is no GPU'
run_case 3 calibrate --from missing.csv --arch "$t4"
says 'missing.csv: error:'
run_case 5 calibrate --from rows.csv --arch "$t4" -o missing/made.cfg

exit $failed
