/* Technology tables (arch/tech/NAME.cfg) and DRAM kinds -> sim_tech, sim_dram_kind. */
#ifndef SIM_INPUT_TECH_H
#define SIM_INPUT_TECH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "input/arch.h"
#include "input/cfg.h"
#include "model/types.h"

/* How logic is carried from the node its numbers were obtained at to the node of the table.
 *   linear      energy proportional to feature size: the conservative law, and the default
 *   stillmaker  polynomials in the supply voltage, Stillmaker and Baas, Integration 58 (2017); at 7 nm
 *               about 6 times below what TPU v4i's designers state
 * Under both, leakage goes with feature size and area with its square (assumed). SRAM is scaled likewise from
 * the node of its own table. */
typedef enum sim_scaling { SIM_SCALING_LINEAR, SIM_SCALING_STILLMAKER } sim_scaling;

/* Energy at `to_nm` over energy at `from_nm`. Nodes between those that are tabulated are interpolated, and
 * nodes below the last extrapolated, in log-log. */
double sim_scaling_factor(sim_scaling scaling, double from_nm, double to_nm);

/* Where a name was given, for messages. */
typedef struct sim_named {
    const char *name, *file;
    int line;
} sim_named;

typedef struct sim_tech_query {
    const char *arch_file;
    const sim_cfg *arch_cfg; /* may define groups `tech` and `dram_kinds` itself */
    sim_named tech;          /* name NULL: the group `tech` of the arch file */
    sim_cfg_shelf *shelf;    /* of files read before; NULL: none */
    bool dram_only;          /* energy is keys of the arch: just the DRAM kind, of tech/dram.cfg */
    sim_named dram;
    const sim_arch_setting *settings; /* of these, "tech.*" and "dram_kinds.*" are taken */
    int setting_count;
} sim_tech_query;

/* Reads tech/NAME.cfg beside the arch file, or else arch/tech/NAME.cfg of the shipped data, applies the
 * settings, scales to the node and looks up the DRAM kind. Appends every number to `canonical`. `tech` is
 * left alone when only the DRAM kind is asked for. */
sim_status sim_tech_resolve(const sim_tech_query *query, sim_arena *arena, sim_tech *tech,
                            sim_dram_kind *dram, sim_text *canonical, sim_err *err);

/* Keys of the `tech` group and of one DRAM kind, for help. Offsets are private to tech.c. */
extern const sim_param sim_tech_params[];
extern const int sim_tech_param_count;
extern const sim_param sim_dram_kind_params[];
extern const int sim_dram_kind_param_count;

#endif
