#!/bin/sh
# No kernel of the plug-in keeps registers in memory.
#   spills.sh FATBIN_LIST [PLUGIN]
set -eu
plugin=${2-}
[ -n "$plugin" ] || {
    echo "skipped: the CUDA plug-in was not built (no nvcc, or SIMACC_CUDA is OFF)"
    exit 77
}
command -v cuobjdump >/dev/null 2>&1 || {
    echo "skipped: this toolkit has no cuobjdump; the build itself warns of spills"
    exit 77
}
usage=$(cuobjdump -res-usage "$plugin" 2>&1 | awk '/Function/ { name = $2 } /REG:/ { print name, $0 }')
kernels=$(printf '%s\n' "$usage" | grep -c 'tile_gemm')
[ "$kernels" -ge 24 ] || {
    echo "only $kernels tile kernels were found"
    exit 1
}
if printf '%s\n' "$usage" | grep -E 'STACK:[1-9]|LOCAL:[1-9]'; then
    echo "kernels above use local memory"
    exit 1
fi
