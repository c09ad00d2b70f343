#include "output/chart_parts.h"
sim_status sim_chart_bits(const sim_chart_job *job)
{
    return sim_chart_no_memory(job);
}
