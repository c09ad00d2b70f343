#ifndef SIM_BASE_VERSION_H
#define SIM_BASE_VERSION_H

#define SIMACC_VERSION "0.1.0"

#endif
