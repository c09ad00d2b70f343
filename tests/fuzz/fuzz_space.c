/* Spaces: lines of the input are axes ("name=values"), zips ("%a,b") and a filter ("?condition"). What is
 * accepted numbers its points back and forth, and each has a value on every axis. */
#include "explore/space.h"

#include <stdlib.h>
#include <string.h>

static void promise(bool kept)
{
    if (!kept)
        abort();
}

static void take_line(sim_space *space, char *line, sim_err *err)
{
    static const sim_space_place here = {"fuzz", 1};
    const int before = err->count + err->dropped;
    char *equals = strchr(line, '=');
    sim_status status;

    if (*line == '%')
        status = sim_space_zip(space, line + 1, here, err);
    else if (*line == '?')
        status = sim_space_filter(space, line + 1, here, err);
    else if (equals)
        *equals = '\0', status = sim_space_axis(space, line, equals + 1, here, err);
    else
        return;
    promise((status == SIM_OK) == (err->count + err->dropped == before));
}

static void check_point(const sim_space *space, int64_t point)
{
    int64_t index[SIM_SPACE_AXES_MAX];
    char buffer[48];

    sim_space_split(space, point, index);
    promise(sim_space_join(space, index) == point);
    for (int i = 0; i < sim_space_axes(space); i++) {
        double number, again;
        const char *text = sim_space_value(space, index, i, buffer, sizeof buffer);

        promise(text && *text);
        promise(index[sim_space_dimension(space, i)] < sim_space_values(space, i));
        if (sim_space_real(space, index, i, &number))
            promise(sim_parse_real(text, &again) && again == number);
    }
    sim_space_keeps(space, index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sim_arena arena;
    sim_err err = {0};
    sim_space *space;
    char *text;

    sim_arena_init(&arena, NULL);
    space = sim_space_new(&arena);
    text = sim_arena_text(&arena, (const char *)data, size);
    for (char *line = text, *end; line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        take_line(space, line, &err);
    }
    if (err.count == 0 && sim_space_finish(space, &err) == SIM_OK) {
        const int64_t points = sim_space_size(space), per_arch = sim_space_per_arch(space);

        promise(points >= 1 && per_arch >= 1 && points % per_arch == 0);
        for (int64_t p = 0; p < points && p < 20; p++)
            check_point(space, p);
        check_point(space, points / 2);
        check_point(space, points - 1);
    }
    sim_arena_free(&arena);
    return 0;
}
