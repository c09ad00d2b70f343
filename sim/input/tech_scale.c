#include "input/tech.h"

#include <math.h>

/* Energy per operation as a2 V^2 + a1 V + a0: Stillmaker and Baas, "Scaling equations for the accurate
 * prediction of CMOS device performance from 180 nm to 7 nm", Integration 58 (2017); coefficients as in
 * accelergy-library-plug-in/scaling.py. The nominal supplies are ours; 45 nm at 0.9 V. */
static const struct {
    double node_nm, supply_v, a2, a1, a0;
} polynomials[] = {
    {130, 1.2, 7.171, -6.709, 2.904},      {90, 1.2, 4.762, -4.781, 2.092},
    {65, 1.1, 3.755, -4.398, 1.975},       {45, 0.9, 1.103, -0.362, 0.2767},
    {32, 0.9, 0.9559, -0.7823, 0.471},     {20, 0.9, 0.373, -0.1582, 0.04104},
    {16, 0.8, 0.2958, -0.1241, 0.03024},   {14, 0.8, 0.2363, -0.09675, 0.02239},
    {10, 0.75, 0.2068, -0.09311, 0.02375}, {7, 0.7, 0.1776, -0.09097, 0.02447},
};

enum { POLYNOMIALS = sizeof polynomials / sizeof *polynomials };

static double energy_of(int i)
{
    double v = polynomials[i].supply_v;

    return polynomials[i].a2 * v * v + polynomials[i].a1 * v + polynomials[i].a0;
}

static double stillmaker_energy(double node_nm)
{
    int i = 0;

    while (i < POLYNOMIALS - 2 && node_nm < polynomials[i + 1].node_nm)
        i++;
    double low = log(polynomials[i + 1].node_nm), high = log(polynomials[i].node_nm);
    double share = (log(node_nm) - low) / (high - low);

    return exp((1 - share) * log(energy_of(i + 1)) + share * log(energy_of(i)));
}

double sim_scaling_factor(sim_scaling scaling, double from_nm, double to_nm)
{
    if (from_nm == to_nm)
        return 1;
    if (scaling == SIM_SCALING_STILLMAKER)
        return stillmaker_energy(to_nm) / stillmaker_energy(from_nm);
    return to_nm / from_nm;
}
