#!/bin/sh
# The gallery of the README: every chart from real runs, into plots/gallery/. Pictures of many marks are PNG, which is
# then the smaller of the two.
#   plots/gallery.sh [SIMACC]      default: simacc on the PATH
set -eu
simacc=${1-simacc}
case $simacc in */*) simacc=$(cd "$(dirname "$simacc")" && pwd)/$(basename "$simacc") ;; esac
cd -- "$(dirname -- "$0")/.."
gallery=$PWD/plots/gallery
rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT
mkdir -p "$gallery"

run() { # run ARCH PHASE POLICY [OPTION...]: the CSV of Llama-2-7B
    file=$rows/$1_$2_$3.csv
    arch=$1 phase=$2 policy=$3
    shift 3
    "$simacc" run "arch/$arch.cfg" "workloads/llama2_7b_$phase.json" --policy "$policy" --csv -o "$file" "$@"
}
plot() { # plot PICTURE KIND FILE... [OPTION...]
    picture=$gallery/$1
    shift
    "$simacc" plot "$@" -o "$picture"
}

for policy in w8a8 w4a8 w4a4; do
    for phase in decode prefill; do
        run edge $phase $policy
        run t4 $phase $policy
        run bismo_haq_edge $phase $policy
    done
done
for batch in 1 2 4 8 16 32 64; do
    for policy in w8a8 w4a8; do
        "$simacc" run arch/edge.cfg workloads/llama2_7b_decode.json --policy $policy --batch $batch --json \
            -o "$rows/batch_${policy}_$batch.json"
    done
done
"$simacc" run arch/bismo_haq_edge.cfg workloads/mobilenet_v2.json \
    --policy workloads/policies/haq_mobilenet_v2_60pct.json --csv -o "$rows/haq.csv"
for arch in edge bismo_haq_edge; do
    "$simacc" table arch/$arch.cfg workloads/llama2_7b_prefill.json --bits w=2..8,a=2..8 -o "$rows/table_$arch.csv"
done
"$simacc" calibrate --with arch/calib/a100.cfg --check cuda_ref/data/a100_linear.csv --arch arch/a100.cfg \
    --plot "$rows/calibration.csv" -o "$rows/report.txt"

plot roofline.svg roofline "$rows"/edge_decode_w4a8.csv "$rows"/edge_decode_w8a8.csv "$rows"/edge_prefill_w4a8.csv \
    "$rows"/edge_prefill_w8a8.csv
plot roofline_t4.svg roofline "$rows"/t4_decode_w8a8.csv "$rows"/t4_prefill_w8a8.csv
plot breakdown.svg breakdown "$rows"/edge_decode_w4a8.csv
plot breakdown_prefill.svg breakdown "$rows"/edge_prefill_w4a8.csv
plot breakdown_runs.svg breakdown "$rows"/edge_decode_w*.csv "$rows"/bismo_haq_edge_decode_w*.csv \
    "$rows"/t4_decode_w8a8.csv
plot bits.png bits "$rows/haq.csv"
plot heatmap.svg heatmap "$rows/table_bismo_haq_edge.csv" --baseline w8a8
plot pareto.svg pareto "$rows"/table_edge.csv "$rows"/table_bismo_haq_edge.csv
plot scaling.svg scaling "$rows"/batch_*.json
plot speedup.svg speedup "$rows"/edge_*_w*.csv "$rows"/t4_*_w*.csv --baseline 'edge, w8a8'
plot calibration.png calibration "$rows/calibration.csv"
ls -l "$gallery" | awk 'NR > 1 { print $5, $9 }'
