#!/bin/sh
# The built plug-in holds machine code for Turing, Ampere and Hopper, and PTX for what follows.
#   architectures.sh FATBIN_LIST [PLUGIN]
set -eu
list=$1
plugin=${2-}
[ -n "$plugin" ] || {
    echo "skipped: the CUDA plug-in was not built (no nvcc, or SIMACC_CUDA is OFF)"
    exit 77
}
found=$("$list" "$plugin" | LC_ALL=C sort | uniq -c)
status=0
for image in "elf sm_75" "elf sm_80" "elf sm_90" "ptx sm_90"; do
    case $found in
    *"$image"*) ;;
    *)
        echo "$plugin holds no $image"
        status=1
        ;;
    esac
done
if command -v cuobjdump >/dev/null 2>&1; then
    by_cuobjdump=$(cuobjdump --list-elf "$plugin")
    for sm in sm_75 sm_80 sm_90; do
        case $by_cuobjdump in
        *"$sm"*) ;;
        *)
            echo "cuobjdump --list-elf shows no $sm"
            status=1
            ;;
        esac
    done
fi
[ $status = 0 ] || printf 'found:\n%s\n' "$found"
exit $status
