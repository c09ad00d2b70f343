/* How far the sum over many steps (model/steps.h) is from all of them: attention over a context that grows by
 * 100,000 tokens, on each machine.
 *
 *   bench_steps STEPS ARCH.cfg...
 *
 * stdout: one CSV line per machine and layer: what the library's sum is off by, of the exact sum; bytes in
 * bytes. Exit status 2 after an error. */
#include "reference/steps_case.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const sim_reach reach = {.past_tokens = 128, .new_tokens = 1, .masked = true};
    int64_t steps = argc > 2 ? strtoll(argv[1], NULL, 10) : 0;

    if (steps < 1) {
        fprintf(stderr, "usage: bench_steps STEPS ARCH.cfg...\n");
        return 2;
    }
    printf("arch,layer,cycles,compute_cycles,memory_cycles,energy,macs,read_bytes,write_bytes\n");
    for (int i = 2; i < argc; i++) {
        sim_layer layers[3];
        steps_case c;
        sim_err err = {0};
        sim_status status = steps_case_open(&c, argv[i], 8, &err);

        steps_case_attention(&reach, steps, layers);
        for (int l = 0; l < 3 && status == SIM_OK; l++) {
            steps_difference d;

            status = steps_case_compare(&c, &layers[l], &d, &err);
            if (status == SIM_OK)
                printf("%s,%s,%.1e,%.1e,%.1e,%.1e,%" PRId64 ",%" PRId64 ",%" PRId64 "\n", c.arch.name,
                       layers[l].name, d.cycles, d.compute_cycles, d.memory_cycles, d.energy, d.macs,
                       d.read_bytes, d.write_bytes);
        }
        steps_case_close(&c);
        if (status != SIM_OK) {
            fprintf(stderr, "%s: %s\n", argv[i], err.items[0].text);
            return 2;
        }
        fflush(stdout);
    }
    return 0;
}
