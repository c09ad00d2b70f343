#include "input/tensor_names.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* "3:q_proj+k_proj" or "-:embed" or "3:up_proj|fc1". */
static void spell(const sim_tensor_name *n, char *out, size_t size)
{
    size_t length;

    if (n->block < 0)
        length = (size_t)snprintf(out, size, "-:");
    else
        length = (size_t)snprintf(out, size, "%d:", (int)n->block);
    for (int i = 0; i < n->layer_count; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s",
                                   i == 0        ? ""
                                   : n->together ? "+"
                                                 : "|",
                                   n->layers[i]);
}

Test(tensor_names, of_checkpoints)
{
    static const struct {
        const char *name, *is;
        sim_tensor_part part;
    } cases[] = {
        {"model.embed_tokens.weight", "-:embed", SIM_TENSOR_WEIGHT},
        {"lm_head.weight", "-:lm_head", SIM_TENSOR_WEIGHT},
        {"model.norm.weight", "-:norm", SIM_TENSOR_WEIGHT},
        {"model.layers.31.self_attn.q_proj.weight", "31:q_proj", SIM_TENSOR_WEIGHT},
        {"model.layers.31.self_attn.q_proj.bias", "31:q_proj", SIM_TENSOR_BIAS},
        {"model.language_model.layers.0.mlp.gate_proj.weight", "0:gate_proj", SIM_TENSOR_WEIGHT},
        {"model.layers.3.mlp.experts.117.down_proj.weight_scale_inv", "3:experts.down_proj",
         SIM_TENSOR_SCALE},
        {"model.layers.3.mlp.gate.weight", "3:router", SIM_TENSOR_WEIGHT},
        {"model.layers.3.mlp.shared_expert_gate.weight", "3:shared_expert_gate", SIM_TENSOR_WEIGHT},
        {"model.layers.3.mlp.shared_experts.up_proj.weight", "3:shared_experts.up_proj", SIM_TENSOR_WEIGHT},
        {"model.layers.3.block_sparse_moe.experts.7.w1.weight", "3:experts.gate_proj", SIM_TENSOR_WEIGHT},
        {"model.layers.3.block_sparse_moe.gate.weight", "3:router", SIM_TENSOR_WEIGHT},
        {"model.layers.3.mlp.experts.gate_up_proj_blocks", "3:experts.gate_proj+experts.up_proj",
         SIM_TENSOR_WEIGHT},
        {"model.layers.3.mlp.experts.gate_up_proj_scales", "3:experts.gate_proj+experts.up_proj",
         SIM_TENSOR_SCALE},
        {"model.layers.3.mlp.experts.gate_up_proj_bias", "3:experts.gate_proj+experts.up_proj",
         SIM_TENSOR_BIAS},
        {"model.layers.3.feed_forward.experts.down_proj", "3:experts.down_proj", SIM_TENSOR_WEIGHT},
        {"model.layers.3.self_attn.qkv_proj.weight", "3:q_proj+k_proj+v_proj", SIM_TENSOR_WEIGHT},
        {"model.layers.3.self_attn.kv_b_proj.weight", "3:kv_b_proj+kv_b_proj.k+kv_b_proj.v",
         SIM_TENSOR_WEIGHT},
        {"model.layers.3.self_attn.indexer.wq_b.weight", "3:indexer.wq_b", SIM_TENSOR_WEIGHT},
        {"model.layers.3.self_attn.o_proj.qweight", "3:o_proj", SIM_TENSOR_WEIGHT},
        {"model.layers.3.self_attn.o_proj.qzeros", "3:o_proj", SIM_TENSOR_ZERO},
        {"model.layers.3.self_attn.o_proj.scales", "3:o_proj", SIM_TENSOR_SCALE},
        {"model.layers.3.self_attn.o_proj.g_idx", "3:o_proj", SIM_TENSOR_OTHER},
        {"model.layers.3.self_attn.rotary_emb.inv_freq", "3:rotary_emb|", SIM_TENSOR_OTHER},
        {"model.decoder.layers.3.self_attn.out_proj.weight", "3:o_proj|out_proj", SIM_TENSOR_WEIGHT},
        {"model.decoder.layers.3.fc1.weight", "3:fc1", SIM_TENSOR_WEIGHT},
        {"model.decoder.embed_positions.weight", "-:embed_positions", SIM_TENSOR_WEIGHT},
        {"h.3.attn.c_attn.weight", "3:q_proj+k_proj+v_proj", SIM_TENSOR_WEIGHT},
        {"h.3.attn.c_proj.weight", "3:o_proj", SIM_TENSOR_WEIGHT},
        {"h.3.mlp.c_proj.weight", "3:c_proj", SIM_TENSOR_WEIGHT},
        {"transformer.h.3.self_attention.dense.weight", "3:o_proj", SIM_TENSOR_WEIGHT},
        {"bert.encoder.layer.3.attention.self.query.weight", "3:q_proj", SIM_TENSOR_WEIGHT},
        {"bert.encoder.layer.3.attention.output.dense.weight", "3:o_proj", SIM_TENSOR_WEIGHT},
        {"bert.encoder.layer.3.intermediate.dense.weight", "3:intermediate", SIM_TENSOR_WEIGHT},
        {"bert.encoder.layer.3.output.dense.weight", "3:output", SIM_TENSOR_WEIGHT},
        {"vit.encoder.layer.3.attention.attention.key.bias", "3:k_proj", SIM_TENSOR_BIAS},
        {"vit.embeddings.patch_embeddings.projection.weight", "-:patch_embed", SIM_TENSOR_WEIGHT},
        {"backbone.layers.3.mixer.in_proj.weight", "3:in_proj", SIM_TENSOR_WEIGHT},
        {"token_embd.weight", "-:embed", SIM_TENSOR_WEIGHT},
        {"output.weight", "-:lm_head", SIM_TENSOR_WEIGHT},
        {"rope_freqs.weight", "-:|", SIM_TENSOR_OTHER},
        {"blk.3.attn_qkv.weight", "3:q_proj+k_proj+v_proj", SIM_TENSOR_WEIGHT},
        {"blk.3.attn_output.weight", "3:o_proj", SIM_TENSOR_WEIGHT},
        {"blk.3.ffn_down.weight", "3:down_proj|fc2|c_proj|dense_4h_to_h|output", SIM_TENSOR_WEIGHT},
        {"blk.3.ffn_gate_exps.weight", "3:experts.gate_proj", SIM_TENSOR_WEIGHT},
        {"blk.3.ffn_gate_inp.weight", "3:router", SIM_TENSOR_WEIGHT},
        {"vision_tower.patch.weight", "-:vision_tower.patch", SIM_TENSOR_WEIGHT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_tensor_name n;
        char is[300];

        sim_tensor_name_read(cases[i].name, &n);
        cr_expect_eq(n.part, cases[i].part, "%s: part %d", cases[i].name, (int)n.part);
        spell(&n, is, sizeof is);
        if (n.part != SIM_TENSOR_OTHER) /* of which only the part matters */
            cr_expect_str_eq(is, cases[i].is, "%s: %s", cases[i].name, is);
    }
}

Test(tensor_names, of_any_length)
{
    char name[400];
    sim_tensor_name n;

    for (size_t length = 0; length < sizeof name; length++) {
        memset(name, 'x', length);
        name[length] = '\0';
        sim_tensor_name_read(name, &n);
        cr_assert_eq(n.block, -1);
        cr_assert(n.layer_count <= 1);
    }
    sim_tensor_name_read("layers.99999999999999999999.q_proj", &n);
    cr_assert_eq(n.block, -1);
    sim_tensor_name_read("", &n);
    sim_tensor_name_read(".weight", &n);
    sim_tensor_name_read("layers.", &n);
    sim_tensor_name_read("layers.3.", &n);
    cr_assert_eq(n.block, 3);
}
