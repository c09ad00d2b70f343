# An array job of 8 shards on a real Slurm of one node, which is started here and stopped after: what one process makes
# of the same sweep. Needs root, since Slurm's daemons run as their own users.
simacc=$1 source=$2
. "$source/tests/cluster/lib.inc"
state=$scratch/slurm

# ends PIDFILE: a daemon that was started here.
ends() {
    [ -s "$1" ] && kill "$(cat "$1")" 2>/dev/null
}
clean_up() {
    ends "$state/slurmd.pid"
    ends "$state/slurmctld.pid"
    ends "$state/munged.pid"
    sleep 1
    rm -rf "$scratch"
}
for program in slurmctld slurmd sbatch squeue munged; do
    command -v $program >/dev/null 2>&1 || [ -x /usr/sbin/$program ] ||
        skip "$program is not installed (slurm-wlm)"
done
[ "$(id -u)" -eq 0 ] || skip "Slurm's daemons need root"
trap clean_up EXIT
PATH=$PATH:/usr/sbin
chmod 755 "$scratch"
mkdir -p "$state/ctld" "$state/d" "$state/munge"
host=$(hostname -s)

# ---- authentication, with a key and a socket of its own

dd if=/dev/urandom of="$state/munge/key" bs=128 count=1 2>/dev/null
chmod 600 "$state/munge/key"
chmod 755 "$state" "$state/munge"
munged --force --key-file="$state/munge/key" --socket="$state/munge/socket" --pid-file="$state/munged.pid" \
    --log-file="$state/munge/log" --seed-file="$state/munge/seed" >out 2>&1 || fail "munged: $(cat out)"

# ---- one node

cat >"$state/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge/socket
CredType=cred/munge
StateSaveLocation=$state/ctld
SlurmdSpoolDir=$state/d
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
SlurmctldPort=16817
SlurmdPort=16818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$state/slurm.conf"
slurmctld >out 2>&1 || fail "slurmctld: $(cat out)"
slurmd -N "$host" >out 2>&1 || fail "slurmd: $(cat out)"
for _ in $(seq 60); do
    sinfo -h -o %t 2>/dev/null | grep -q '^idle' && break
    sleep 1
done
sinfo -h -o %t 2>/dev/null | grep -q '^idle' || {
    tail -n 20 "$state"/*.log
    skip "no node of Slurm came up here"
}

# ---- the job that is shipped as an example

mkdir bin
ln -s "$simacc" bin/simacc
PATH=$scratch/bin:$PATH sbatch --export=ALL "$source/tests/cluster/job.slurm" >out 2>&1 || fail "sbatch: $(cat out)"
for _ in $(seq 120); do
    [ -z "$(squeue -h 2>/dev/null)" ] && break
    sleep 1
done
[ -z "$(squeue -h)" ] || fail "still there: $(squeue)"
[ "$(ls shard*.db | wc -l)" -eq 8 ] || fail "stores: $(ls): $(cat shard0.log)"
same_as_one all.db 8
[ $failed -ne 0 ] || echo "8 shards of $(sinfo --version) equal one process: $(wc -l <one.csv) lines"
exit $failed
