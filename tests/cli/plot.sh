# Charts: the data behind each as committed, and each drawn in every format from real runs, without one word from
# gnuplot (run_case: stderr is clean).
#
# After a change that is meant: SIMACC_GOLDEN=write sh tests/cli/plot.sh SIMACC SOURCE, and read the difference.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"
data=$source/tests/data/charts
golden=$data/expected

# golden NAME KIND FILE... [OPTION...]
golden() {
    name=$1
    shift
    run_case 0 plot "$@" --csv
    if [ "${SIMACC_GOLDEN-}" = write ]; then
        cp out "$golden/$name.csv"
    elif ! cmp -s out "$golden/$name.csv"; then
        fail "$name: $(diff "$golden/$name.csv" out | head -n 6)"
    fi
}
golden roofline roofline "$data/decode_w4a8.csv" "$data/prefill_w8a8.csv"
golden breakdown breakdown "$data/decode_w4a8.csv"
golden breakdown_runs breakdown "$data/decode_w4a8.csv" "$data/prefill_w8a8.csv" --title 'Two, "runs" at 100%'
golden bits bits "$data/decode_w4a8.csv"
golden heatmap heatmap "$data/table.csv"
golden heatmap_baseline heatmap "$data/table.csv" --baseline w8a8
golden pareto pareto "$data/points.csv"
golden pareto_columns pareto "$data/points.csv" --x area_mm2 --y tokens_per_s --top 5
golden scaling scaling "$data/points.csv"
golden scaling_runs scaling "$data/batch1.json" "$data/batch4.json" "$data/batch16.json"
golden speedup speedup "$data/points.csv" --baseline 'a8, w8a8, batch=1' --top 6
golden calibration calibration "$data/rows.csv"

command -v gnuplot >/dev/null || exit $((failed ? 1 : 77))

# ---- every kind in every format, from real runs -------------------------------------------------------------
decode=$source/workloads/llama2_7b_decode.json
for arch_name in edge bismo_haq_edge t4; do
    for policy in w8a8 w4a8; do
        run_case 0 run "$source/arch/$arch_name.cfg" "$decode" --policy $policy --csv -o ${arch_name}_$policy.csv
    done
done
run_case 0 run "$source/arch/edge.cfg" "$source/workloads/llama2_7b_prefill.json" --policy w4a8 --csv -o prefill.csv
run_case 0 run "$source/arch/bismo_haq_edge.cfg" "$source/workloads/mobilenet_v2.json" \
    --policy "$source/workloads/policies/haq_mobilenet_v2_60pct.json" --csv -o haq.csv
run_case 0 table "$source/arch/edge.cfg" "$decode" --bits w=2..8,a=4,8 -o table.csv
run_case 0 calibrate --with "$source/arch/calib/t4.cfg" --check "$source/cuda_ref/data/t4_gemm.csv" \
    --arch "$source/arch/t4.cfg" --plot rows.csv
for batch in 1 4 16; do
    run_case 0 run "$source/arch/edge.cfg" "$decode" --policy w4a8 --batch $batch --json -o batch$batch.json
done

# A picture is one, has its size, and is the same every time.
is_svg() { grep -q '^<svg' "$1" && grep -q '</svg>' "$1" && { ! command -v xmllint >/dev/null || xmllint --noout "$1"; }; }
is_png() { [ "$(dd if="$1" bs=1 skip=1 count=3 2>/dev/null)" = PNG ]; }
is_pdf() { [ "$(dd if="$1" bs=1 count=5 2>/dev/null)" = %PDF- ]; }
draw() {
    kind=$1
    shift
    run_case 0 plot "$kind" "$@" -o "$kind.svg"
    is_svg "$kind.svg" || fail "$kind: no SVG"
    run_case 0 plot "$kind" "$@" -o again.svg
    cmp -s "$kind.svg" again.svg || fail "$kind: not the same twice"
    run_case 0 plot "$kind" "$@" -o "$kind.png" --width 1600
    is_png "$kind.png" || fail "$kind: no PNG"
    [ "$(od -An -tu1 -j18 -N2 "$kind.png" | tr -s ' ')" = ' 6 64' ] || fail "$kind: not 1600 pixels wide"
    run_case 0 plot "$kind" "$@" -o "$kind.pdf" --dark
    is_pdf "$kind.pdf" || fail "$kind: no PDF"
    run_case 0 plot "$kind" "$@" --term
    [ "$(awk '{ if (length($0) > most) most = length($0) } END { print (most > 100) }' out)" = 0 ] ||
        fail "$kind: wider than the terminal"
    [ "$(wc -l <out)" -gt 5 ] || fail "$kind: next to nothing on the terminal"
    ! grep -q "$(printf '\f')" out || fail "$kind: a form feed"
}
draw roofline edge_w8a8.csv edge_w4a8.csv prefill.csv
draw breakdown prefill.csv
draw bits haq.csv
draw heatmap table.csv
draw pareto edge_w*.csv t4_w*.csv bismo_haq_edge_w*.csv
draw scaling batch1.json batch4.json batch16.json
draw speedup edge_w8a8.csv edge_w4a8.csv t4_w8a8.csv
draw calibration rows.csv
for word in gate_proj up_proj "DRAM 25.6 GB/s" "w8a8 peak 819 GMAC/s" "rate of work (MAC/s)"; do
    run_case 0 plot roofline edge_w8a8.csv -o roofline.svg
    grep -qF "$word" roofline.svg || fail "the roofline does not say '$word'"
done
for word in q_proj k_proj qk pv down_proj lm_head 'llama2_7b_decode on edge, w4a8' 'time (ms)' 'energy (mJ)'; do
    run_case 0 plot breakdown edge_w4a8.csv -o breakdown.svg
    grep -qF "$word" breakdown.svg || fail "the breakdown does not say '$word'"
done

# ---- names that mean something to a shell, to gnuplot or in XML ----------------------------------------------
awk -v q='"' 'NR == 1 { print; next }
    NR > 9 { exit }
    { split("a,b|<ls|`touch p1`|$(touch p2)|@x _{3} ^2 %s|<b>&amp;|\\n\\t|\047; touch p3", n, "|")
      rest = $0; sub(/^("[^"]*"|[^,]*)/, "", rest); print q n[NR - 1] q rest }' edge_w4a8.csv >hostile.csv
name='it'\''s "$(touch p4)" `touch p5`.csv'
cp hostile.csv "$name"
for kind in breakdown roofline bits; do
    run_case 0 plot $kind "$name" -o "$kind of $name.svg" --title '"; system "touch p6" # `touch p7` $(x) \n %d <&>'
    is_svg "$kind of $name.svg" || fail "$kind: no SVG of hostile names"
done
grep -qF '`touch p1`' "bits of $name.svg" || fail "a hostile name is not shown as it is"
for file in p1 p2 p3 p4 p5 p6 p7; do
    [ ! -e $file ] || fail "a name was run as a command: $file"
done

# ---- sizes ---------------------------------------------------------------------------------------------------
awk -F, 'NR == 1 { print; next }
    NR == 4 { for (i = 0; i < 1000; i++) { row = $0; sub(/^("[^"]*"|[^,]*)/, "blocks.conv_" i, row); print row } }' \
    edge_w4a8.csv >thousand.csv
for kind in roofline breakdown bits; do
    run_case 0 plot $kind thousand.csv -o thousand.svg
    [ "$(wc -c <thousand.svg)" -lt 300000 ] || fail "$kind of 1,000 layers: $(wc -c <thousand.svg) bytes"
done
awk 'BEGIN { print "point,arch,workload,policy,latency_s,energy_j"; srand(1)
    for (i = 0; i < 100000; i++)
        printf "%d,a%d,llm,w%da8,%.6g,%.6g\n", i, i % 4, 2 + i % 7, 0.001 + rand(), 0.01 + rand() * rand() }' >points.csv
for kind in pareto speedup heatmap; do
    start=$(date +%s)
    run_case 0 plot $kind points.csv -o points.svg
    took=$(($(date +%s) - start))
    [ $took -lt "${SIMACC_PLOT_SECONDS:-20}" ] || fail "$kind of 100,000 points took $took s"
    [ "$(wc -c <points.svg)" -lt 600000 ] || fail "$kind of 100,000 points: $(wc -c <points.svg) bytes"
done
sed -n 1,2p edge_w8a8.csv >vector.csv
sed -n '1p;/q_proj/p' edge_w8a8.csv >one.csv
for kind in roofline breakdown bits pareto; do
    run_case 0 plot $kind one.csv -o one.svg
done
run_case 0 plot breakdown vector.csv --term
printf 'policy,latency_s,energy_j,batch,tokens_per_s\nw4a4,0,0,1,0\nw8a8,1,5,0,1\nw4a8,,,4,\nw2a2,100,0.001,8,4\n' >zeros.csv
for kind in pareto scaling speedup heatmap; do
    run_case 0 plot $kind zeros.csv -o zeros.svg
done

# ---- where pictures go ---------------------------------------------------------------------------------------
run_case 5 plot bits haq.csv -o missing/bits.svg
no_leftovers .
echo old >kept.svg
run_case 3 plot bits table.csv -o kept.svg
[ "$(cat kept.svg)" = old ] || fail "a failed chart touched the file that was there"
mkdir empty
PATH=$scratch/empty "$simacc" plot bits haq.csv -o none.svg >out 2>err
[ $? -eq 4 ] || fail "without gnuplot: exit code $?"
says 'gnuplot is not installed'
says 'apt-get install gnuplot-nox'
[ ! -e none.svg ] || fail "without gnuplot a file was written"
mkdir tmp
TMPDIR=$scratch/tmp run_case 0 plot bits haq.csv -o bits.svg
[ -z "$(ls -A tmp)" ] || fail "left in TMPDIR: $(ls tmp)"

exit $failed
