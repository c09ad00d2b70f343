#!/bin/sh
# Fits the shipped calibrations, arch/calib/*.cfg, to the measurements of this folder.
#   calibrate.sh SIMACC SOURCE_DIR OUT_DIR
# The archs are taken without their calibrations, so that nothing of an older fit is left in the new one.
set -eu
simacc=$1
data=$2/cuda_ref/data
arch=$2/arch
out=$3
fit() {
    name=$1
    shift
    "$simacc" calibrate "$@" --arch "$arch/$name.cfg" --set calibration=none -o "$out/$name.cfg"
}

# NeuSight's vector kernels were dispatched from the host one by one, which engines do not do.
fit t4 --from "$data/t4_gemm.csv" --from "$data/t4_vector.csv" --no-floor
fit a100 --from "$data/a100_linear.csv" --from "$data/a100_vector.csv"
fit h100 --from "$data/h100_linear.csv" --from "$data/h100_vector.csv"
