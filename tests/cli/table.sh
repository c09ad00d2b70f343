# simacc table: what it prints, how it fails, what it says on the side.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

systolic=$source/arch/edge_systolic.cfg
mlp=$source/workloads/mlp.json
decode=$source/workloads/llama2_7b_decode.json
# Machines on which nothing is prefetched: there a row is what a run says.
alone='buffers.double_buffered=["input"]'

# A table may have notes on stderr, which are no errors; their words are judged where they are wanted.
table_case() {
    "$simacc" table "$@" >out 2>err || fail "exit code $?: simacc table $*: $(cat err)"
    ! grep -q '^error\|: error:' err || fail "errors beside a table: simacc table $*: $(cat err)"
}

# column FILE NAME: the values of a column, without its name.
column() {
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' "$1"
}

# Rows: layers in order, all w for each, all a for each of these.
table_case "$arch" "$workload"
case $(head -n 1 out) in
layer,w_bits,a_bits,cycles,latency_s,energy_j,weight_bytes,compute_cycles,*) ;;
*) fail "header: $(head -n 1 out)" ;;
esac
[ "$(wc -l <out)" -eq $((1 + 3 * 64)) ] || fail "not 3 layers at 64 precisions: $(wc -l <out) lines"
[ "$(awk -F, '{print NF}' out | sort -u | wc -l)" -eq 1 ] || fail "rows of different length"
cut -d, -f1-3 out >got
{
    echo layer,w_bits,a_bits
    for layer in first conv second; do
        for w in 1 2 3 4 5 6 7 8; do
            for a in 1 2 3 4 5 6 7 8; do echo $layer,$w,$a; done
        done
    done
} >want
cmp -s want got || fail "keys: $(diff want got | head -n 5)"
grep -q '^second,.*,matmul,3,' out || fail "no repeat"
mv out first
table_case "$arch" "$workload"
cmp -s out first || fail "two tables differ"

table_case "$arch" "$workload" --bits w=2..4,16,a=8,4
cut -d, -f2,3 out | sed 1d | head -n 8 | tr '\n' ' ' >got
[ "$(cat got)" = "2,4 2,8 3,4 3,8 4,4 4,8 16,4 16,8 " ] || fail "--bits: $(cat got)"
table_case "$arch" "$decode" --bits w=4,a=8,kv=2,8
case $(head -n 2 out | tail -n 1) in
embed,4,8,2,*) ;;
*) fail "kv: $(head -n 2 out)" ;;
esac

# A model: layers ungrouped, one row each; attention costs more with more KV bits, and is the same along w.
table_case "$arch" "$decode" --bits w=2,8,a=8,kv=4,8
[ "$(column out layer | uniq | sort -u | wc -l)" -eq "$(column out layer | uniq | wc -l)" ] || fail "a layer comes twice"
[ "$(grep -c '^layers\.[0-9]*\.q_proj,' out)" -eq $((32 * 4)) ] || fail "not 32 q_proj at 4 precisions"
grep '^layers.0.qk,' out | cut -d, -f2-5 >qk
awk -F, '{ c[$1, $3] = $4 } END { exit !(c[2, 4] == c[8, 4] && c[2, 8] == c[8, 8] && c[2, 4] < c[2, 8]) }' qk ||
    fail "attention: $(cat qk)"
# lm_head has the bits asked for: 32000 x 4096 weights at 2 bits.
grep -q '^lm_head,2,8,4,[0-9]*,[^,]*,[^,]*,32768000,' out || fail "lm_head: $(grep '^lm_head,2' out)"
table_case "$arch" "$source/workloads/models/llama2_7b.json" --phase prefill --prompt 16 --batch 2 --bits w=4,a=8
[ "$(column out workload | sort -u)" = llama2_7b ] || fail "a bare config.json"

# Each row is what a run says of the layer, where nothing is prefetched.
for file in "$workload" "$mlp"; do
    for machine in "$arch" "$systolic"; do
        for objective in balanced energy; do
            table_case "$machine" "$file" --bits w=3,8,a=8 --set "$alone" --objective $objective
            mv out table.csv
            for w in 3 8; do
                run_case 0 run "$machine" "$file" --policy w${w}a8 --csv --set "$alone" --objective $objective
                awk -F, -v w=$w '
                    FNR == 1 { for (i = 1; i <= NF; i++) at[FILENAME, $i] = i; next }
                    FILENAME == "table.csv" && $2 != w { next }
                    {
                        key = FILENAME == "table.csv" ? "layer" : "name"
                        text = $at[FILENAME, key]
                        n = split("cycles latency_s energy_j compute_cycles memory_cycles dram_read_bytes " \
                                  "dram_write_bytes utilization_frac bound op repeat macs", names, " ")
                        for (i = 1; i <= n; i++) text = text " " $at[FILENAME, names[i]]
                        print text > (FILENAME ".rows")
                    }' table.csv out
                cmp -s table.csv.rows out.rows || fail "table and run differ: $(diff table.csv.rows out.rows)"
                rm table.csv.rows out.rows
            done
        done
    done
done

# --batch scales images and what goes with them.
table_case "$arch" "$workload" --batch 4 --bits w=8,a=8
[ "$(column out macs | tr '\n' ' ')" = "$((4 * 9 * 70 * 33)) $((4 * 64 * 8 * 36)) $((4 * 9 * 70 * 33)) " ] ||
    fail "--batch: $(column out macs)"
run_case 0 run "$arch" "$workload" --batch 4 --json
prints '"batch": 4,'
[ "$(sed -n 's/^ *"macs": \([0-9]*\),$/\1/p' out | head -n 1)" -eq $((4 * (4 * 9 * 70 * 33 + 64 * 8 * 36))) ] ||
    fail "--batch of run"

# Bits that the machine lacks make empty cells and a note, not an error.
table_case "$systolic" "$mlp" --bits w=8,9,a=8
grep -q '^fc1,8,8,[1-9]' out || fail "no cost at w8a8"
grep -q '^fc1,9,8,,,,,,,,,,,matmul,1,' out || fail "cells of w9: $(grep '^fc1,9' out)"
says "note: 3 of 6 cells are empty: 'edge_systolic' (systolic) cannot run layer 'fc1' at w9a8"
says "  hint: its PEs take integer weights of 1 to 8"
table_case "$arch" "$mlp" --bits w=4,a=8
[ ! -s err ] || fail "a note about nothing: $(cat err)"

# A layer that fewer bits make slower is told of: without a choice of tiles by latency, cycles are a by-product.
table_case "$source/arch/systolic_128.cfg" "$mlp" --objective energy
awk -F, 'NR > 1 { c[$1, $2, $3] = $4; layers[$1] }
    END {
        for (l in layers) {
            most = 0
            for (w = 1; w <= 8; w++)
                for (a = 1; a <= 8; a++)
                    for (m = 1; m <= 8; m++) {
                        if (m > w && c[l, w, a] > most * c[l, m, a]) most = c[l, w, a] / c[l, m, a]
                        if (m > a && c[l, w, a] > most * c[l, w, m]) most = c[l, w, a] / c[l, w, m]
                    }
            if (most > 1.01) count++
        }
        print count + 0
    }' out >slower
if [ "$(cat slower)" -eq 0 ]; then
    ! grep -q slower err || fail "a note about layers that are not slower"
else
    says "note: $(cat slower) of 3 layers get slower with fewer bits, by more than 1%; most of all '"
    says "  hint: 'simacc help table'"
fi

# Files: written whole or not at all; a note comes after.
run_case 0 table "$arch" "$mlp" --bits w=4,a=8 -o table.csv
[ ! -s out ] || fail "-o: something on stdout"
grep -q '^fc1,4,8,' table.csv || fail "-o: $(cat table.csv)"
run_case 0 table "$arch" "$mlp" --bits w=4,a=8 -o -
cmp -s out table.csv || fail "-o - is not stdout"
echo old >kept.csv
run_case 2 table "$arch" "$mlp" --bits w=17 -o kept.csv
[ "$(cat kept.csv)" = old ] || fail "a usage error wrote a file"
run_case 5 table "$arch" "$mlp" -o none/table.csv
run_case 5 table "$arch" "$mlp" -o .
no_leftovers .
if [ -w /dev/full ]; then
    run_case 5 table "$systolic" "$mlp" --bits w=8,9 -o /dev/full
    ! grep -q '^note' err || fail "notes on a table that was not written"
fi

# Usage: all that is wrong at once; the words of --bits are in tests/bad/table.
run_case 2 table "$arch" "$mlp" --bits w=0 --objective x --set y
[ "$(grep -c error: err)" -eq 3 ] || fail "not three errors: $(cat err)"
run_case 2 table "$arch" "$mlp" --policy w4a8
run_case 3 table "$arch" "$source/workloads/none.json"

exit $failed
