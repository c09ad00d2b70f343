/* How long a job takes, at which clock, and what it draws. */
#ifndef SIMACC_TIMING_H
#define SIMACC_TIMING_H

#include "job.h"

namespace simacc
{

/* `sets` sets of `j` from `base` on, `work` behind them. */
struct job_memory {
    unsigned char *base, *work;
    int sets;
};

/* Tries the ways of running the job, keeps the fastest, and says how long a call takes about. Ways that are refused are
 * passed over; UNSUPPORTED when all are. */
simacc_cuda_status choose_way(simacc_cuda_session *session, const job &j, const job_memory &memory, int *way,
                              double *call_us, const message &to);

/* Fills the times, clock, power, energy and temperature of `out`. `call_us`: about, from choose_way. */
simacc_cuda_status time_burst(simacc_cuda_session *session, const job &j, const job_memory &memory, int way,
                              double call_us, double timed_s, simacc_cuda_measurement *out, const message &to);
simacc_cuda_status time_sustained(simacc_cuda_session *session, const job &j, const job_memory &memory, int way,
                                  double call_us, double timed_s, simacc_cuda_measurement *out, const message &to);

} // namespace simacc

#endif
