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

steps=$data/bert_steps.csv
fit t4 --from "$data/t4_gemm.csv" --from "$data/t4_vector.csv" --steps "$steps"
fit a100 --from "$data/a100_linear.csv" --from "$data/a100_vector.csv" --steps "$steps"
fit h100 --from "$data/h100_linear.csv" --from "$data/h100_vector.csv"
for gpu in v100 a30 l4 l40s; do
    fit $gpu --steps "$steps"
done
