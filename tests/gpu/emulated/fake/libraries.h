/* What the tests decide about the made-up libraries. */
#ifndef FAKE_LIBRARIES_H
#define FAKE_LIBRARIES_H

struct fake_libraries {
    bool no_cublaslt;    /* the library is not installed */
    bool refuse_first;   /* cuBLASLt refuses the first of its ways */
    bool wrong;          /* its first output is wrong */
    bool no_counter;     /* NVML tells power, and counts no energy */
    double (*power_w)(); /* what the board draws */
};

extern fake_libraries fakes;

#endif
