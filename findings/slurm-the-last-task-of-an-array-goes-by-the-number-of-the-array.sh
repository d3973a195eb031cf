#!/bin/bash
# Slurm 22.05.8 (Debian's slurm-wlm): every task of an array has a SLURM_JOB_ID of its own, but for the
# last one that starts: its SLURM_JOB_ID is SLURM_ARRAY_JOB_ID, the number of the whole array. A task that
# puts itself back into the queue by `scontrol requeue $SLURM_JOB_ID`, as the manuals of many sites say,
# restarts itself alone where it is any other task, and where it is the last one it restarts all of its
# siblings that run. By `scontrol requeue ${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}` it is always one.
#
# Guessed beforehand: a task's SLURM_JOB_ID names that task, or scontrol refuses.
# What it means here: a worker whose time is almost up requeues itself by array and task.
# Needs root, slurm-wlm and munge; starts a cluster of its own with three nodes on this machine.
set -eu
tools=$(cd "$(dirname "$0")/../tests/slurm" && pwd)
folder=$(mktemp -d)
chmod 755 "$folder" # munged wants its socket where anybody can go
export KD_SLURM_PORT=${KD_SLURM_PORT:-20817} KD_SLURM_CRED=5
trap 'scancel -u root; sleep 1; bash "$tools/cluster.sh" stop "$folder/site"; sleep 1; rm -rf "$folder"' EXIT
bash "$tools/cluster.sh" start "$folder/site" 3 >/dev/null
. "$folder/site/env"
restarts() { for task in 1 2 3; do scontrol show job "$1_$task" | grep -o 'Restarts=[0-9]*' | cut -d= -f2; done | tr '\n' ' '; }
requeued_by() { # the restarts of tasks 1 to 3 after the last of them requeued itself by this name
    local array
    array=$(sbatch --parsable --array=1-3 --requeue -o "$folder/log-%a" --wrap "
        [ \${SLURM_RESTART_COUNT:-0} -eq 0 ] || exit 0
        echo \$SLURM_JOB_ID >$folder/id-\$SLURM_ARRAY_TASK_ID
        [ \$SLURM_ARRAY_TASK_ID -ne 3 ] || { sleep 4; scontrol requeue $1; }
        sleep 12")
    sleep 9
    echo "$array: $(cat "$folder"/id-[123] | tr '\n' ' ')restarts $(restarts "$array")"
    scancel "$array"; sleep 1
}
sinfo --version
by_id=$(requeued_by '$SLURM_JOB_ID')
by_task=$(requeued_by '${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}')
echo "requeued by its SLURM_JOB_ID  $by_id"
echo "by array and task             $by_task"
[[ $by_id == *"restarts 1 1 1 " ]] && [[ $by_task == *"restarts 0 0 1 " ]] || { echo "not as described"; exit 1; }
[[ ${by_id%%:*} == "$(echo "$by_id" | cut -d' ' -f4)" ]] || { echo "the last id is not the array's"; exit 1; }
echo "as described"
