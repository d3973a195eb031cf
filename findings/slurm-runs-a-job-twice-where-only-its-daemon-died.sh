#!/bin/bash
# Slurm 22.05.8 (Debian's slurm-wlm): where slurmd, the daemon of a node, dies alone (out of memory, an
# update), its jobs live on: each has a process of its own, slurmstepd. The controller takes the node for
# dead, puts the job back into the queue and starts it on another node. Both copies then run, each with
# the same SLURM_JOB_ID, for as long as they like, and nobody ends the first. squeue shows one.
#
# Guessed beforehand: the job ends with its daemon, or stays where it is until somebody looks.
# What it means here: a job's number names no process, and a requeued job is no proof that the first one is
# gone: a worker's claim on a run rests on signs of life of the process itself, and ends in one rename.
# Needs root, slurm-wlm and munge; starts a cluster of its own with two nodes on this machine.
set -eu
tools=$(cd "$(dirname "$0")/../tests/slurm" && pwd)
folder=$(mktemp -d)
chmod 755 "$folder" # munged wants its socket where anybody can go
export KD_SLURM_PORT=${KD_SLURM_PORT:-21817} KD_SLURM_CRED=5 KD_SLURM_TIMEOUT=10 KD_SLURM_NS=1
trap 'scancel -u root; bash "$tools/nodes_ns.sh" stop "$folder/site"; bash "$tools/cluster.sh" stop "$folder/site"; sleep 1; rm -rf "$folder"' EXIT
bash "$tools/cluster.sh" start "$folder/site" 2 >/dev/null
. "$folder/site/env"
job=$(sbatch --parsable --requeue -o /dev/null --wrap "while :; do date +%s >$folder/beat-\$(hostname)-\$SLURM_JOB_ID; sleep 1; done")
until [[ -n $(ls "$folder" | grep beat) ]]; do sleep 0.5; done
first=$(squeue -h -o %N)
[[ $first == n1 ]] && second=n2 || second=n1
for pid in $(pgrep -f "slurmd -D -N $first"); do
    # Of this cluster, and the daemon itself.
    grep -zq "SLURM_CONF=$SLURM_CONF" "/proc/$pid/environ" && [[ $(cat "/proc/$pid/comm") == slurmd ]] && kill -9 "$pid"
done
for _ in $(seq 240); do [[ -f $folder/beat-$second-$job ]] && break; sleep 0.5; done
[[ -f $folder/beat-$second-$job ]] || { echo "not as described: it was not started again"; exit 1; }
sleep 3
now=$(date +%s)
sinfo --version
for node in "$first" "$second"; do echo "$node: a copy of job $job was alive $((now - $(cat "$folder/beat-$node-$job"))) s ago"; done
squeue -h -o "squeue: job %i %T on %N"
[[ $((now - $(cat "$folder/beat-n1-$job"))) -le 2 && $((now - $(cat "$folder/beat-n2-$job"))) -le 2 ]] || { echo "not as described"; exit 1; }
[[ $(squeue -h | wc -l) -eq 1 ]] || { echo "squeue shows more than one"; exit 1; }
echo "as described"
