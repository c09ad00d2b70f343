#include "base/data.h"

#include <stdlib.h>

/* Set by the build; a library built by hand looks in the current folder. */
#ifndef SIMACC_DATA_DIR
#define SIMACC_DATA_DIR "."
#endif

const char *sim_data_folder(void)
{
    const char *folder = getenv("SIMACC_DATA");

    return folder && *folder ? folder : SIMACC_DATA_DIR;
}

char *sim_data_path(sim_arena *arena, const char *relative)
{
    return sim_arena_printf(arena, "%s/%s", sim_data_folder(), relative);
}
