#include "base/frame.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

int sim_frame_column(const sim_frame *frame, const char *name)
{
    for (int i = 0; i < frame->column_count; i++)
        if (strcmp(frame->columns[i], name) == 0)
            return i;
    return -1;
}

const char *sim_frame_text(const sim_frame *frame, int64_t row, int column)
{
    return column < 0 ? "" : frame->cells[row * frame->column_count + column];
}

int sim_frame_line(const sim_frame *frame, int64_t row)
{
    return frame->lines ? frame->lines[row] : 0;
}

bool sim_frame_real(const sim_frame *frame, int64_t row, int column, double *value)
{
    const char *text = sim_frame_text(frame, row, column);

    *value = NAN;
    return *text == '\0' || sim_parse_real(text, value);
}

bool sim_frame_draft_init(sim_frame_draft *draft, const char *file, int column_count, int64_t row_count,
                          sim_arena *arena)
{
    const size_t columns = (size_t)column_count, rows = (size_t)row_count;

    draft->columns = sim_arena_alloc(arena, columns, sizeof *draft->columns);
    draft->cells = sim_arena_alloc(arena, rows, columns * sizeof *draft->cells);
    if (!draft->columns || !draft->cells)
        return false;
    for (size_t i = 0; i < columns; i++)
        draft->columns[i] = "";
    for (size_t i = 0; i < rows * columns; i++)
        draft->cells[i] = "";
    draft->frame = (sim_frame){.file = file,
                               .column_count = column_count,
                               .row_count = row_count,
                               .columns = draft->columns,
                               .cells = draft->cells};
    return true;
}

void sim_frame_draft_set(sim_frame_draft *draft, int64_t row, int column, const char *text)
{
    draft->cells[row * draft->frame.column_count + column] = text;
}
