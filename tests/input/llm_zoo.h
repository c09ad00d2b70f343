/* One model of each kind, as their config.json state them, written out in the vocabulary of llm_model.h: what
 * the expansion is tested with apart from the readers of configs. */
#ifndef TESTS_INPUT_LLM_ZOO_H
#define TESTS_INPUT_LLM_ZOO_H

#include "input/llm_model.h"

enum { LLM_ZOO_BLOCKS_MAX = 128 };

/* A model and the tables that it points into. */
typedef struct llm_zoo_model {
    const char *name; /* of tests/data/llm_tensors.csv */
    sim_llm_model model;
    sim_llm_mixer mixers[3];
    sim_llm_ffn ffns[2];
    sim_llm_block blocks[LLM_ZOO_BLOCKS_MAX];
} llm_zoo_model;

enum { LLM_ZOO_COUNT = 15 };

/* The model of an index, 0 .. LLM_ZOO_COUNT - 1. */
void llm_zoo(int index, llm_zoo_model *out);
/* The same by name; fails the test when there is none. */
void llm_zoo_named(const char *name, llm_zoo_model *out);

#endif
