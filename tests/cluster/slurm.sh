#!/usr/bin/env bash
# A Slurm cluster of one node on this machine, for tests: slurm.sh start | stop | status.
# Needs root and Debian's packages slurm-wlm and munge ('apt-get install --no-install-recommends
# slurm-wlm munge'). Refuses where /etc/slurm/slurm.conf is somebody else's.
set -euo pipefail
conf=/etc/slurm/slurm.conf
mark="# written by xascoord's tests"
state=/var/lib/xascoord-slurm

stop() {
  for name in slurmd slurmctld; do
    if [ -f "$state/$name.pid" ]; then kill "$(cat "$state/$name.pid")" 2>/dev/null || true; fi
  done
  if [ -f "$state/own-munge" ]; then pkill -x munged || true; fi
  for _ in $(seq 50); do pgrep -x slurmd >/dev/null || pgrep -x slurmctld >/dev/null || break; sleep 0.1; done
  rm -rf "$state"
  if [ -f "$conf" ] && grep -qF "$mark" "$conf"; then rm "$conf"; fi
}

start() {
  if [ -f "$conf" ] && ! grep -qF "$mark" "$conf"; then
    echo "slurm.sh: $conf is there and not ours" >&2
    exit 1
  fi
  stop
  mkdir -p "$state/spool" "$state/ctl" "$(dirname "$conf")" /run/munge
  host=$(hostname -s)
  memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
  # A job's memory is watched every second: one that needs more than it asked for is ended.
  cat > "$conf" <<CONF
$mark
ClusterName=xascoord
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$state/ctl
SlurmdSpoolDir=$state/spool
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$state/completed.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,batch_sched_delay=0,defer
ReturnToService=2
MinJobAge=7200
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
  if ! pgrep -x munged >/dev/null; then
    [ -f /etc/munge/munge.key ] || mungekey --create
    chown -R munge: /etc/munge /run/munge /var/lib/munge /var/log/munge
    runuser -u munge -- munged
    touch "$state/own-munge"
  fi
  slurmctld
  slurmd
  for _ in $(seq 100); do
    if sinfo -h -o %t 2>/dev/null | grep -qx idle; then
      echo "slurm.sh: one node, $(nproc) CPUs, $memory MB"
      exit 0
    fi
    sleep 0.2
  done
  tail -5 "$state"/*.log >&2
  echo "slurm.sh: the node does not come up" >&2
  exit 1
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  status) sinfo; squeue ;;
  *) echo "usage: slurm.sh start | stop | status" >&2; exit 2 ;;
esac
