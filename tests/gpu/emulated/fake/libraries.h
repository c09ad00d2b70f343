/* What the tests decide about the made-up libraries. */
#ifndef FAKE_LIBRARIES_H
#define FAKE_LIBRARIES_H

struct fake_libraries {
    bool no_cublaslt, refuse_first, wrong, no_counter;
    double (*power_w)();
};

extern fake_libraries fakes;

#endif
