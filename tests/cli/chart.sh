# The chart is drawn from the CSV alone: every kind of layer above 0.5%, titles, what a comma in a name does.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"
command -v gnuplot >/dev/null || exit 77

chart() { gnuplot -c "$source/plots/breakdown.gp" "$1" "$2" >out 2>err; }

# Layer 1 differs, so that the others are called layers.0,2-31: a quoted field.
cat >mixed.json <<'EOF'
{"name": "mixed", "default": "w4a8", "policy": [{"layer": "layers.1.*", "w_bits": 8}]}
EOF
run_case 0 run "$arch" "$source/workloads/llama2_7b_decode.json" --policy mixed.json --csv -o mixed.csv
grep -q '^"layers.0,2-31.q_proj",' mixed.csv || fail "no quoted name: $(cut -c1-40 mixed.csv)"
chart mixed.csv mixed.svg || fail "the chart failed: $(cat err)"
[ ! -s err ] || fail "gnuplot complains: $(cat err)"
for label in q_proj k_proj v_proj qk pv o_proj gate_proj up_proj down_proj lm_head "llama2_7b_decode on edge, mixed"; do
    grep -qF ">$label<" mixed.svg || grep -qF "$label" mixed.svg || fail "the chart does not show '$label'"
done
! grep -q 'layers\.' mixed.svg || fail "a name was not reduced to its kind"
chart mixed.csv mixed.png || fail "the PNG failed: $(cat err)"
[ "$(dd if=mixed.png bs=1 skip=1 count=3 2>/dev/null)" = PNG ] || fail "no PNG was written"
gnuplot -e "input='mixed.csv'; output='again.png'" "$source/plots/breakdown.gp" || fail "input= and output="
cmp -s mixed.png again.png || fail "the two ways to call it differ"

# One layer, and nothing to draw.
sed -n 1,2p mixed.csv >one.csv
chart one.csv one.png || fail "a single layer: $(cat err)"
sed -n 1p mixed.csv >none.csv
chart none.csv none.png && fail "a chart of nothing"
[ ! -e none.png ] || fail "an empty picture was written"
grep -q 'holds no layers' out err || fail "no word on a file without layers"

exit $failed
