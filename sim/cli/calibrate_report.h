/* What `simacc calibrate` says: tables for people, JSON for programs. */
#ifndef SIM_CLI_CALIBRATE_REPORT_H
#define SIM_CLI_CALIBRATE_REPORT_H

#include "base/text.h"
#include "explore/calibrate.h"

void sim_report_fit_table(const sim_calibration_fit *fit, int width, bool colour, sim_text *out);
void sim_report_fit_json(const sim_calibration_fit *fit, sim_text *out);
void sim_report_check_table(const sim_calibration_check *check, const sim_gpu_calibration *calibration,
                            const char *measured_file, int width, bool colour, sim_text *out);
void sim_report_check_json(const sim_calibration_check *check, const sim_gpu_calibration *calibration,
                           sim_text *out);

#endif
