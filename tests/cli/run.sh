# The main job through the command line: formats, settings, options.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

decode=$source/workloads/llama2_7b_decode.json

# value FILE KEY: of "key": value, the first there is.
value() {
    sed -n "s/^ *\"$2\": \([^,]*\),*$/\1/p" "$1" | head -n 1
}

run_case 0 run "$arch" "$decode" --policy w4a8
prints "tokens/s"
[ "$(awk 'length > 100' out | wc -l)" -eq 0 ] || fail "a line is longer than 100 columns"
! grep -q "$(printf '\033')" out || fail "colour without a terminal"
[ "$(grep -c '^\*' out)" -eq 3 ] || fail "not three layers are marked"
tail -n 1 out | grep -q '^  latency ' || fail "the last line is not the latency: $(tail -n 1 out)"

# Twice the same, in every format.
for format in '' --json --csv; do
    run_case 0 run "$arch" "$decode" --policy w4a8 $format
    mv out first
    run_case 0 run "$arch" "$decode" --policy w4a8 $format
    cmp -s out first || fail "two runs differ: $format"
done

# CSV: the header, one row per group, the same number of columns everywhere.
run_case 0 run "$arch" "$decode" --policy w4a8 --csv
case $(head -n 1 out) in
name,op,repeat,m,n,k,batch,w_format,w_bits,a_format,a_bits,kv_bits,macs,*) ;;
*) fail "CSV header: $(head -n 1 out)" ;;
esac
[ "$(awk -F, '{print NF}' out | sort -u | wc -l)" -eq 1 ] || fail "CSV rows of different length"
grep -q '^layers.0-31.gate_proj,matmul,32,1,11008,4096,1,int,4,int,8,,' out || fail "no row of gate_proj: $(cat out)"
[ "$(awk -F, 'NR > 1 {n += $3} END {print n}' out)" -ge 225 ] || fail "layers are missing"

# Fewer bits are faster and smaller on this machine; a setting changes the machine.
run_case 0 run "$arch" "$decode" --policy w8a8 --json
mv out w8.json
run_case 0 run "$arch" "$decode" --policy w4a8 --json
mv out w4.json
awk "BEGIN {exit !($(value w4.json latency_s) < $(value w8.json latency_s))}" || fail "w4a8 is not faster than w8a8"
run_case 0 run "$arch" "$decode" --policy w4a8 --json --set dram.bandwidth_gb_s=51.2
awk "BEGIN {exit !($(value out latency_s) < $(value w4.json latency_s))}" || fail "--set dram.bandwidth_gb_s=51.2"
[ "$(value out dram_bandwidth_bytes_per_s)" = 51200000000 ] || fail "--set: $(value out dram_bandwidth_bytes_per_s)"
run_case 0 run "$arch" "$decode" --policy w4a8 --json --set=array.rows=16 --set array.cols=16
awk "BEGIN {exit !($(value out peak_macs_per_s) * 4 == $(value w4.json peak_macs_per_s))}" || fail "two settings"

# A longer context has a larger cache; another phase and batch other tokens.
run_case 0 run "$arch" "$decode" --policy w4a8 --json --context 4095
awk "BEGIN {exit !($(value out kv_cache_bytes) == 4096 * $(value w4.json kv_cache_bytes) / 2049)}" ||
    fail "--context 4095: $(value out kv_cache_bytes)"
run_case 0 run "$arch" "$decode" --policy w4a8 --json --batch 4
prints '"phase": "decode", "batch": 4, "tokens": 4'
run_case 0 run "$arch" "$decode" --policy w4a8 --json --phase prefill --prompt 128
prints '"phase": "prefill", "batch": 1, "tokens": 128'
mv out causal.json
run_case 0 run "$arch" "$decode" --policy w4a8 --json --phase prefill --prompt 128 --full-attention
awk "BEGIN {exit !($(value out macs) > $(value causal.json macs))}" || fail "--full-attention"

# A prompt and three answers are what they are one after another; the command line has all their numbers.
opt=$source/workloads/models/opt_125m.json
run_case 0 run "$arch" "$opt" --phase generate --prompt 9 --new 3 --batch 2 --json
prints '"phase": "generate", "batch": 2, "tokens": 6'
mv out generate.json
run_case 0 run "$arch" "$opt" --phase prefill --prompt 9 --batch 2 --json
mv out part0.json
run_case 0 run "$arch" "$opt" --phase decode --context 9 --batch 2 --json
mv out part1.json
run_case 0 run "$arch" "$opt" --phase decode --context 10 --batch 2 --json
mv out part2.json
for key in macs cycles dram_read_bytes dram_write_bytes; do
    [ "$(value generate.json $key)" -eq $(($(value part0.json $key) + $(value part1.json $key) + $(value part2.json $key))) ] ||
        fail "$key of generate is not the sum of its parts"
done
[ "$(value generate.json time_to_first_token_s)" = "$(value part0.json latency_s)" ] || fail "time to first token"
[ "$(value part1.json time_per_output_token_s)" = "$(value part1.json latency_s)" ] || fail "time per output token"
[ "$(value part1.json time_to_first_token_s)" = null ] || fail "a decode step has no first token"
run_case 0 run "$arch" "$opt" --phase generate --prompt 9 --new 3
prints 'prefill: ' && prints 'decode: ' && prints 'first token after'
run_case 0 run "$arch" "$opt" --phase prefill --prompt 20 --chunk 8 --csv
[ "$(awk -F, 'NR > 1 && $1 == "embed" {n += $3; m = m " " $4} END {print n m}' out)" = "3 8 4" ] || fail "chunks: $(cat out)"
run_case 0 run "$arch" "$opt" --phase decode --context 20 --draft 3 --json
prints '"phase": "decode", "batch": 1, "tokens": 4'
run_case 0 run "$arch" "$opt" --phase decode --context 20 --merged --csv
grep -q qkv_proj out || fail "--merged"
for mla in absorbed plain; do
    run_case 0 run "$arch" "$source/workloads/models/deepseek_v2_lite.json" --phase decode --context 20 --mla $mla --json
    value out macs >$mla
done
[ "$(cat plain)" -gt "$(cat absorbed)" ] || fail "--mla"
run_case 2 run "$arch" "$opt" --phase decode --context 20 --new 4
run_case 2 run "$arch" "$opt" --phase prefill --prompt 20 --mla dense

# A bare config.json is a workload.
run_case 0 run "$arch" "$source/workloads/models/llama2_7b.json" --phase decode --context 2048 --policy w4a8 --json
[ "$(value out macs)" = "$(value w4.json macs)" ] || fail "a bare config.json: $(value out macs) multiply-accumulates"

# Each objective is best at what it is named for: on the first layer, which nothing is prefetched for.
for objective in balanced latency energy edp dram; do
    run_case 0 run "$arch" "$workload" --objective $objective --csv
    awk -F, 'NR == 2 {printf "%s %s %.0f\n", $17, $18, $25 + $26}' out >$objective.first
done
for other in balanced latency energy edp dram; do
    cat latency.first energy.first dram.first $other.first | tr '\n' ' ' | awk '{
        exit !($1 <= $10 * (1 + 1e-9) && $5 <= $11 * (1 + 1e-9) && $9 <= $12)
    }' || fail "an objective is beaten by $other"
done

# The timeline: an object, one slice per instance.
run_case 0 run "$arch" "$decode" --policy w4a8 --trace trace.json
prints "tokens/s"
[ "$(grep -c '"name": "layers.31.down_proj".*"tid": 1,' trace.json)" -eq 1 ] || fail "no slice of layers.31.down_proj"

exit $failed
