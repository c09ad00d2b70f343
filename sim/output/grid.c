#include "output/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { GAP = 2, COLUMNS_MAX = 16, RANK_MAX = 16 };

typedef struct sim_grid_cell {
    struct sim_grid_cell *previous;
    sim_paint paint;
    char *text;
} cell;

static const char *const paint_codes[] = {"",         "\033[1m",  "\033[2m",  "\033[31m",
                                          "\033[32m", "\033[33m", "\033[34m", "\033[36m"};

static bool starts_code_point(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

int sim_text_columns(const char *text)
{
    int columns = 0;

    for (; *text; text++)
        columns += starts_code_point(*text);
    return columns;
}

/* Bytes of the first `columns` code points. */
static size_t bytes_of_columns(const char *text, int columns)
{
    const char *p = text;

    for (; *p; p++)
        if (starts_code_point(*p) && columns-- == 0)
            break;
    return (size_t)(p - text);
}

/* Nothing that a file says may drive the terminal: C0 and C1 control characters become '?'. */
static void clean(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
            p[0] = p[1] = '?';
    }
}

void sim_grid_init(sim_grid *grid, const sim_grid_column *columns, int column_count,
                   const sim_allocator *allocator)
{
    *grid = (sim_grid){.columns = columns, .column_count = column_count};
    sim_arena_init(&grid->arena, allocator);
}

void sim_grid_free(sim_grid *grid)
{
    sim_arena_free(&grid->arena);
}

void sim_grid_cell(sim_grid *grid, sim_paint paint, const char *format, ...)
{
    char buffer[512];
    va_list args;
    int length;
    cell *c;

    va_start(args, format);
    length = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    if (length < 0)
        buffer[0] = '\0';
    clean(buffer);
    c = sim_arena_alloc(&grid->arena, 1, sizeof *c);
    if (c)
        c->text = sim_arena_text(&grid->arena, buffer, strlen(buffer));
    if (!c || !c->text) {
        grid->failed = true;
        return;
    }
    c->paint = paint;
    c->previous = grid->cells;
    grid->cells = c;
    grid->cell_count++;
}

static int line_width(const int *widths, int count, int indent)
{
    int total = indent, shown = 0;

    for (int i = 0; i < count; i++) {
        if (widths[i] < 0)
            continue;
        total += widths[i] + (shown ? GAP : 0);
        shown++;
    }
    return total;
}

/* Shrinks columns to their soft widths, drops columns, shrinks what is left until a line fits, and gives the
 * room that remains back; a dropped column has width -1. */
static void fit(const sim_grid *grid, int indent, int width, int *widths)
{
    int natural[COLUMNS_MAX];

    memcpy(natural, widths, sizeof natural);
    for (int i = 0; i < grid->column_count; i++)
        if (grid->columns[i].soft_width > 0 && widths[i] > grid->columns[i].soft_width)
            widths[i] = grid->columns[i].soft_width;
    while (line_width(widths, grid->column_count, indent) > width) {
        int worst = -1;

        for (int i = 0; i < grid->column_count; i++)
            if (widths[i] >= 0 && grid->columns[i].drop_rank > 0 &&
                (worst < 0 || grid->columns[i].drop_rank > grid->columns[worst].drop_rank))
                worst = i;
        if (worst < 0)
            break;
        widths[worst] = -1;
    }
    /* A wide column that had to go may leave room for a narrow one that went before it. */
    for (int rank = 1; rank <= RANK_MAX; rank++)
        for (int i = 0; i < grid->column_count; i++) {
            if (widths[i] >= 0 || grid->columns[i].drop_rank != rank)
                continue;
            widths[i] = natural[i];
            if (line_width(widths, grid->column_count, indent) > width)
                widths[i] = -1;
        }
    while (line_width(widths, grid->column_count, indent) > width) {
        int widest = -1;

        for (int i = 0; i < grid->column_count; i++)
            if (grid->columns[i].least_width > 0 && widths[i] > grid->columns[i].least_width &&
                (widest < 0 || widths[i] > widths[widest]))
                widest = i;
        if (widest < 0)
            break;
        widths[widest]--;
    }
    for (int i = 0; i < grid->column_count; i++)
        while (widths[i] >= 0 && widths[i] < natural[i] &&
               line_width(widths, grid->column_count, indent) < width)
            widths[i]++;
}

static void put_spaces(sim_text *out, int count)
{
    for (int i = 0; i < count; i++)
        sim_text_add(out, " ");
}

/* Bytes of the next line of wrapped text: up to `width` columns, broken at the last space if there is one. */
static size_t wrapped_bytes(const char *text, int width)
{
    size_t length = bytes_of_columns(text, width);

    if (!text[length] || text[length] == ' ')
        return length;
    for (size_t i = length; i > 0; i--)
        if (text[i - 1] == ' ')
            return i - 1;
    return length;
}

/* Prints one row of cells; long wrapped cells make it several lines. */
static void put_row(const sim_grid *grid, const char **texts, const sim_paint *paints, const int *widths,
                    int indent, bool colour, sim_text *out)
{
    bool more = true;

    while (more) {
        int pending = indent; /* spaces owed before the next text, so that no line ends in any */

        more = false;
        for (int i = 0; i < grid->column_count; i++) {
            const sim_grid_column *column = &grid->columns[i];
            const char *text = texts[i];
            char piece[512];
            size_t length;
            int used;

            if (widths[i] < 0)
                continue;
            length = column->wrap ? wrapped_bytes(text, widths[i]) : bytes_of_columns(text, widths[i]);
            memcpy(piece, text, length);
            piece[length] = '\0';
            texts[i] = text + length;
            if (column->wrap) {
                while (*texts[i] == ' ')
                    texts[i]++;
                more |= *texts[i] != '\0';
            } else {
                if (*texts[i] && length > 0) /* say that it was cut */
                    memcpy(piece + bytes_of_columns(piece, widths[i] - 1), "~", 2);
                texts[i] = "";
            }
            used = sim_text_columns(piece);
            if (used > 0) {
                put_spaces(out, pending + (column->right ? widths[i] - used : 0));
                sim_paint_add(out, paints[i], colour, piece);
                pending = column->right ? 0 : widths[i] - used;
            } else {
                pending += widths[i];
            }
            pending += GAP;
        }
        sim_text_add(out, "\n");
    }
}

void sim_grid_print(sim_grid *grid, int indent, int width, bool colour, sim_text *out)
{
    const int columns = grid->column_count;
    int widths[COLUMNS_MAX] = {0};
    sim_paint paints[COLUMNS_MAX] = {SIM_PAINT_NONE};
    const char *texts[COLUMNS_MAX];
    cell **cells = sim_arena_alloc(&grid->arena, (size_t)grid->cell_count, sizeof(void *));
    int64_t at = grid->cell_count;

    if (grid->failed || !cells || columns > COLUMNS_MAX) {
        out->failed = true;
        return;
    }
    for (int i = 0; i < COLUMNS_MAX; i++)
        texts[i] = "";
    for (cell *c = grid->cells; c; c = c->previous)
        cells[--at] = c;
    for (int i = 0; i < columns; i++)
        widths[i] = grid->columns[i].title ? sim_text_columns(grid->columns[i].title) : 0;
    for (int64_t i = 0; i < grid->cell_count; i++) {
        int used = sim_text_columns(cells[i]->text);

        if (used > widths[i % columns])
            widths[i % columns] = used;
    }
    fit(grid, indent, width, widths);
    if (columns > 0 && grid->columns[0].title) {
        for (int i = 0; i < columns; i++) {
            texts[i] = grid->columns[i].title;
            paints[i] = SIM_PAINT_DIM;
        }
        put_row(grid, texts, paints, widths, indent, colour, out);
    }
    for (int64_t row = 0; row + columns <= grid->cell_count; row += columns) {
        for (int i = 0; i < columns; i++) {
            texts[i] = cells[row + i]->text;
            paints[i] = cells[row + i]->paint;
        }
        put_row(grid, texts, paints, widths, indent, colour, out);
    }
}

void sim_paint_add(sim_text *out, sim_paint paint, bool colour, const char *text)
{
    if (!colour || paint == SIM_PAINT_NONE) {
        sim_text_add(out, text);
        return;
    }
    sim_text_printf(out, "%s%s\033[0m", paint_codes[paint], text);
}

void sim_wrap_add(sim_text *out, const char *label, int indent, int width, const char *text)
{
    const int room = width > indent + 1 ? width - indent : 1;

    put_spaces(out, GAP);
    sim_text_add(out, label);
    put_spaces(out, indent - GAP - sim_text_columns(label));
    for (bool first = true; *text; first = false) {
        size_t length = wrapped_bytes(text, room);

        if (!first)
            put_spaces(out, indent);
        sim_text_bytes(out, text, length);
        if (out->data && !out->failed)
            clean(out->data + out->length - length);
        sim_text_add(out, "\n");
        text += length;
        while (*text == ' ')
            text++;
    }
}
