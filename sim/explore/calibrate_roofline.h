/* What the law is compared with: the ideal roofline, and one with three parameters fitted to the same rows.
 */
#ifndef SIM_EXPLORE_CALIBRATE_ROOFLINE_H
#define SIM_EXPLORE_CALIBRATE_ROOFLINE_H

#include "explore/calibrate_set.h"

/* c + max(operations / (peak ec), bytes / (bandwidth em)), the floor blended as in the law. */
typedef struct sim_roofline {
    double c_us, ec, em, floor_us;
} sim_roofline;

extern const sim_roofline sim_roofline_ideal; /* c 0, ec and em 1 */

double sim_roofline_us(const sim_fit_row *row, const sim_roofline *roofline);

/* c, ec and em fitted as the law is, to the rows outside fold `held_out`; the floor too when `floor_us` (its
 * start) is above 0. */
sim_status sim_fit_roofline(const sim_fit_set *set, int held_out, double floor_us, sim_arena *arena,
                            sim_roofline *out, sim_err *err);

#endif
