#!/bin/sh
# What fewer bits bring, as the table that README.md shows: time, energy and memory of Llama-2-7B at 16 bits, and
# how many times less of each at 8 and 4 bits, per machine and phase.
#
#   plots/expectations.sh SIMACC [README.md]      with README.md: fails unless the table stands there as it is
set -eu
simacc=$1
readme=${2:-}
top=$(cd "$(dirname "$0")/.." && pwd)

# figures MACHINE PHASE POLICY [OPTIONS...]: latency_s energy_j peak_memory_bytes memory_fits
figures() {
    machine=$1 phase=$2 policy=$3
    shift 3
    "$simacc" run "$top/arch/$machine.cfg" "$top/workloads/llama2_7b_$phase.json" --policy "$policy" --json "$@" |
        awk -F'[:,]' '
            /"totals"/ { inside = 1 }
            !inside { next }
            $1 ~ /"(latency_s|energy_j|peak_memory_bytes|memory_fits)"/ && !($1 in seen) { seen[$1]; print $2; n++ }
            n == 4 { exit }' | tr -d ' ' | tr '\n' ' '
}

# row MACHINE WORDS WHOLE_POLICY [OPTIONS...]
row() {
    machine=$1 words=$2 whole=$3
    shift 3
    for phase in prefill decode; do
        {
            figures "$machine" "$phase" "$whole" "$@"
            for policy in w8a8 w4a16g128 w4a8 w4a4; do
                found=$(figures "$machine" "$phase" "$policy" "$@" 2>/dev/null)
                echo "${found:-- - - -}"
            done
        } | tr '\n' ' ' | awk -v words="$words" -v phase="$phase" '
            function less(i) { return $i ~ /^[0-9]/ ? sprintf("%.2fx, %.2fx, %.2fx", $1 / $i, $2 / $(i + 1), $3 / $(i + 2)) : "-" }
            {
                printf "| %s | %s | %.3g s, %.3g J, %.3g GB%s |", phase == "prefill" ? words : "", phase, $1, $2,
                    $3 / 1e9, $4 == "true" ? "" : " (does not fit)"
                for (i = 5; i <= 17; i += 4) printf " %s |", less(i)
                print ""
            }'
    done
}

table() {
    echo "| machine | phase | 16 bits | w8a8 | w4a16 g128 | w4a8 | w4a4 |"
    echo "|---|---|---|---|---|---|---|"
    row t4 '`t4`, sustained' fp16 --set gpu.regime=sustained
    row h100 '`h100`' fp16
    row edge '`edge`, bit-composable' w16a16
    row bismo_haq_edge '`bismo_haq_edge`, bit-serial' w16a16
    row tpu_v4 '`tpu_v4`, fixed 16 bits' w16a16
    row systolic_128 '`systolic_128`, fixed 8 bits' w8a8
}

if [ -z "$readme" ]; then
    table
    exit
fi
table >"${TMPDIR:-/tmp}/expectations.$$"
trap 'rm -f "${TMPDIR:-/tmp}/expectations.$$"' EXIT
while IFS= read -r line; do
    grep -qxF -- "$line" "$readme" || {
        echo "$readme lacks a line of plots/expectations.sh: $line"
        exit 1
    }
done <"${TMPDIR:-/tmp}/expectations.$$"
