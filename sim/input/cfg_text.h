/* The text of a libconfig file, checked and with all its @include lines replaced by what they name.
 *
 * A scanner over tokens, not a parser: grammar is libconfig's business. Checked here, with file and line:
 * literals that libconfig would wrap or turn into infinity, NaN, duplicate keys, nesting, the number of
 * keys, text that is not UTF-8, comments and strings that never end, and includes. */
#ifndef SIM_INPUT_CFG_TEXT_H
#define SIM_INPUT_CFG_TEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

typedef struct sim_cfg_origin {
    const char *file;
    int line;
} sim_cfg_origin;

typedef struct sim_cfg_text {
    sim_text text;          /* expanded; freed by the caller with sim_text_free */
    sim_cfg_origin *origin; /* of each line of `text` */
    int line_count;
    int key_count; /* 0: nothing but blanks and comments */
} sim_cfg_text;

/* `includes`: whether @include is allowed. All errors found are reported; `out->text` must be freed in
 * every case. */
sim_status sim_cfg_expand(const char *data, size_t length, const char *name, bool includes, sim_arena *arena,
                          sim_cfg_text *out, sim_err *err);

#endif
