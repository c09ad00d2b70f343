# simacc import: what people have on disk becomes a workload that runs and costs the same.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

# An import tells on stderr what it found: run_case wants that clean.
import() {
    "$simacc" import "$@" >out 2>err || fail "exit code $?: simacc import $*: $(cat err)"
}

# costs WORKLOAD [OPTION...]: all of the answer but the names of files.
costs() {
    run_case 0 run "$arch" "$@" --csv
    sed -E 's/,edge,[^,]*,/,edge,,/' out
}

# ---- a checkpoint of HF: one block, headers and zeros -------------------------------------------------

mkdir tiny
cat >tiny/config.json <<'END'
{"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1,
 "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 50, "max_position_embeddings": 32,
 "tie_word_embeddings": true, "torch_dtype": "float16"}
END
offset=0
header='{'
tensor() { # NAME SHAPE ELEMENTS
    header="$header\"model.$1.weight\":{\"dtype\":\"F16\",\"shape\":[$2],\"data_offsets\":[$offset,$((offset + 2 * $3))]},"
    offset=$((offset + 2 * $3))
}
tensor embed_tokens 50,64 3200
for projection in q,64 k,32 v,32 o,64; do
    tensor "layers.0.self_attn.${projection%,*}_proj" "${projection#*,},64" $((${projection#*,} * 64))
done
tensor layers.0.mlp.gate_proj 96,64 6144
tensor layers.0.mlp.up_proj 96,64 6144
tensor layers.0.mlp.down_proj 64,96 6144
tensor layers.0.input_layernorm 64 64
tensor layers.0.post_attention_layernorm 64 64
tensor norm 64 64
header="${header%,}}"
length=${#header}
{
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\$(printf %o $((length % 256)))\\$(printf %o $((length / 256)))\\0\\0\\0\\0\\0\\0"
    printf '%s' "$header"
    head -c "$offset" /dev/zero
} >tiny/model.safetensors

import tiny -o tiny.json --policy-out tiny_policy.json
says 'llama of 1 block, 34112 parameters'
says '11 tensors in 1 file, 68.2 kB: F16 68.2 kB'
says 'the tensors have as many parameters as the model'
says 'assumed: decode, batch 1, 31 tokens in the cache'
[ ! -s out ] || fail "something on stdout"
grep -q '"default": "fp16"' tiny_policy.json || fail "not fp16: $(cat tiny_policy.json)"
run_case 0 run "$source/arch/t4.cfg" tiny.json --policy tiny_policy.json

# The file, the folder, the config and what was made of them cost the same.
costs tiny.json >converted
for path in tiny tiny/config.json tiny/model.safetensors; do
    costs $path --phase decode --context 31 >direct
    cmp -s converted direct || fail "$path costs something else: $(diff converted direct)"
done

# Phase, batch and tokens go into the file; the answer may go to stdout.
import tiny --phase prefill --batch 2 --prompt 16
mv out prefill.json
! grep -q assumed err || fail "assumed what was given"
costs prefill.json >converted
costs tiny --phase prefill --batch 2 --prompt 16 >direct
cmp -s converted direct || fail "prefill costs something else"

# A header that ends too early.
head -c 100 tiny/model.safetensors >cut.safetensors
run_case 3 import cut.safetensors
says 'cut.safetensors: error: byte 0: the header is said to have'

# ---- topologies ---------------------------------------------------------------------------------------

for kind in gemm conv; do
    import "$source/workloads/topologies/$kind.csv" -o $kind.json
    costs $kind.json >converted
    costs "$source/workloads/topologies/$kind.csv" >direct
    cmp -s converted direct || fail "$kind costs something else"
done
# SCALE-Sim's 17 x 17 outputs of a 34 x 34 input under 3 x 3 kernels with stride 2
awk -F, '$1 == "conv1" && $4 == 289 && $5 == 32 && $6 == 27 {found = 1} END {exit !found}' direct ||
    fail "conv1 is not 289 x 32 x 27"

# ---- every shipped model -----------------------------------------------------------------------------

for model in "$source"/workloads/models/*.json; do
    import "$model" -o model.json --policy-out policy.json
done

# ---- what cannot be --------------------------------------------------------------------------------------

run_case 2 import
run_case 2 import tiny --frobnicate
run_case 2 import tiny --policy-out -
run_case 5 import tiny -o nowhere/w.json
run_case 3 import nowhere
rm -f w.json
run_case 3 import nowhere -o w.json
[ ! -e w.json ] || fail "a failed import wrote a file"

exit $failed
