#!/bin/sh
# One GEMM on a 32x32 weight-stationary array, by SCALE-Sim and by simacc beside it: equal cycles, and the time each
# takes.
#   scalesim.sh SIMACC SOURCE_DIR PYTHON      a minute
# PYTHON has the package scalesim 3.0.0, which needs NumPy below 2: pip install scalesim 'numpy<2'
set -eu
simacc=$1 source=$2 python=$3
export SIMACC_DATA="$source" LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
size=${SIMACC_GEMM:-512}

cat >scale.cfg <<END
[general]
run_name = gemm
[architecture_presets]
ArrayHeight: 32
ArrayWidth: 32
IfmapSramSzkB: 256
FilterSramSzkB: 256
OfmapSramSzkB: 256
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth: 10
Dataflow: ws
MemoryBanks: 1
ReadRequestBuffer: 32
WriteRequestBuffer: 32
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport: false
SparseRep: ellpack_block
OptimizedMapping: false
BlockSize: 8
RandomNumberGeneratorSeed: 40
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
END
printf 'Layer, M, N, K,\ngemm, %d, %d, %d,\n' "$size" "$size" "$size" >gemm.csv
{
    printf 'Layer'
    for i in $(seq 20); do printf ', %d' "$i"; done
    printf ',\ngemm'
    for i in $(seq 20); do printf ', 1'; done
    printf ',\n'
} >layout.csv
cat >drive.py <<'END'
import time
from scalesim.scale_sim import scalesim

start = time.perf_counter()
tool = scalesim(save_disk_space=True, verbose=False, config="scale.cfg", topology="gemm.csv",
                layout="layout.csv", input_type_gemm=True)
tool.run_scale(top_path="out")
print("seconds", time.perf_counter() - start)
END
"$python" drive.py >scale.txt 2>scale.err || {
    tail -n 3 scale.err >&2
    exit 2
}
their_s=$(sed -n 's/^seconds //p' scale.txt)
their_cycles=$(find out -name 'COMPUTE_REPORT.csv' -exec tail -n 1 {} \; | awk -F, '{ print $3 - $4 }')

printf '{"name":"gemm","layers":[{"name":"gemm","op":"matmul","m":%d,"n":%d,"k":%d}]}\n' "$size" "$size" "$size" >gemm.json
arch=$source/arch/systolic_128.cfg
set -- --set array.rows=32 --set array.cols=32 --set array.dataflow=ws --set array.timing=scalesim
cycles=$("$simacc" run "$arch" gemm.json --policy w8a8 "$@" --json |
    sed -n 's/^ *"compute_cycles": \([0-9]*\),.*/\1/p' | head -n 1)
# Each point with another buffer is mapped anew.
"$simacc" sweep "$arch" gemm.json --policy w8a8 "$@" --set-axis buffers.weight_kib=256..4351 --jobs 1 -o x.db 2>sweep.err
our_s=$(sed -n 's/^x.db: \([0-9]*\) points priced.*; \([0-9.e+-]*\) s$/\1 \2/p' sweep.err | awk '{ print $2 / $1 }')

printf '%-10s %12s %14s\n' tool cycles s/estimate
printf '%-10s %12s %14.6f\n' SCALE-Sim "$their_cycles" "$their_s"
printf '%-10s %12s %14.6f\n' simacc "$cycles" "$our_s"
awk -v a="$their_s" -v b="$our_s" 'BEGIN { printf "%.0f times as fast\n", a / b }'
[ "$their_cycles" = "$cycles" ] || {
    echo "the cycles differ" >&2
    exit 1
}
