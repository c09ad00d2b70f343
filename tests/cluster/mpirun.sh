# Four ranks of a real mpirun, a store each, merged: what one process makes of the same sweep.
simacc=$1 source=$2
. "$source/tests/cluster/lib.inc"
trap 'rm -rf "$scratch"' EXIT
command -v mpirun >/dev/null 2>&1 || skip "mpirun is not installed (openmpi-bin)"

# A container is one node with few cores and often only root.
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 4 \
    "$simacc" sweep sweep.cfg --shard auto --jobs 1 -o shard%d.db >out 2>&1 || fail "mpirun: $(cat out)"
[ "$(ls shard*.db | wc -l)" -eq 4 ] || fail "stores: $(ls)"
same_as_one all.db 4
[ $failed -ne 0 ] || echo "4 ranks of $(mpirun --version | head -n 1) equal one process: $(wc -l <one.csv) lines"
exit $failed
