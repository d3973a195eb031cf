#!/usr/bin/env bash
# What it costs that several processes share a study. Needs root and unshare, and no Slurm.
#   cost.sh KDPIPE FOLDER [WORKERS] [RUNS]
# 1. RUNS tiny units by one process, and by WORKERS on three nodes (each a host and process numbers of its own): every unit once.
# 2. A study of 1,000 finished runs but for WORKERS that others hold: how long `status`, and a worker that finds nothing, take.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kdpipe=$(realpath "$1") site=$(realpath -m "$2") workers=${3:-16} runs=${4:-200}
mkdir -p "$site"
unset KDPIPE_FAULT KDPIPE_LOG
spec() { # spec FOLDER SEEDS
    mkdir -p "$1"
    cat >"$1/study.toml" <<TOML
extends = "$here/tiny.toml"
[train]
steps = 10
[grid]
arm = ["mse"]
seed = [$(seq -s, 0 $(($2 - 1)))]
TOML
}
seconds() { local begun ended; begun=$(date +%s%N); "$@"; ended=$(date +%s%N); echo "$(((ended - begun) / 10000000))" | sed 's/..$/.&/'; }
alone() { (cd "$1" && KDPIPE_CACHE=$1/cache "$kdpipe" run study.toml --worker --threads 1 >"$1/alone.log" 2>&1); }
together() {
    local pids=()
    for worker in $(seq "$workers"); do
        (cd "$1" && KDPIPE_CACHE=$1/cache exec unshare --uts --pid --mount --fork --kill-child --mount-proc bash -c "hostname n$((worker % 3 + 1)); exec $kdpipe run study.toml --worker --threads 1" >"$1/worker-$worker.log" 2>&1) &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
}
for kind in one many; do
    spec "$site/$kind" "$runs"
    (cd "$site/$kind" && KDPIPE_CACHE=$site/$kind/cache "$kdpipe" run -q study.toml --prepare)
done
one=$(seconds alone "$site/one")
many=$(seconds together "$site/many")
finished=$(cat "$site"/many/worker-*.log | grep -c '^finished ')
distinct=$(cat "$site"/many/worker-*.log | grep '^finished ' | awk '{print $2}' | sort -u | wc -l)
echo "$runs units: one process $one s, $workers workers on three nodes $many s; trained $finished times, $distinct distinct"
for kind in one many; do (cd "$site/$kind" && KDPIPE_CACHE=$site/$kind/cache "$kdpipe" run -q study.toml --wait >"$site/$kind/last.log"); done
"$kdpipe" diff --bytes "$site/one/results/tiny" "$site/many/results/tiny"
[[ $finished -eq $runs && $distinct -eq $runs ]] || { echo "not once each"; exit 1; }

# A thousand runs that are the first one's bytes under other names: nothing here reads what they hold.
large=$site/large; spec "$large" 1000; cp -r "$site/one/cache" "$large/"
(cd "$large" && KDPIPE_CACHE=$large/cache "$kdpipe" run -q study.toml --prepare)
"$kdpipe" plan "$large/study.toml" --results "$large/results" --json >"$large/plan.json"
mapfile -t ids < <(sed -n 's/^run = "\(.*\)"/\1/p' "$large/results/tiny/lock.toml")
first=$(ls "$site/one/results/tiny/runs" | head -n 1)
mkdir -p "$large/results/tiny/runs"
for id in "${ids[@]:$workers}"; do cp -r "$site/one/results/tiny/runs/$first" "$large/results/tiny/runs/$id"; done
start=$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20)
held=$large/results/tiny/work
for id in "${ids[@]:0:$workers}"; do
    mkdir -p "$held/$id"
    printf 'process = %s\nstart = %s\nboot = %s\nhost = %s\nspace = %s\ntoken = x\n' $$ "$start" "$(cat /proc/sys/kernel/random/boot_id)" "$(cat /proc/sys/kernel/hostname)" "$(readlink /proc/self/ns/pid)" >"$held/$id/lock"
done
cd "$large"
status() { "$kdpipe" status study.toml >status.log; }
worker() { KDPIPE_CACHE=$large/cache "$kdpipe" run study.toml --worker >worker.log 2>&1; }
echo "1,000 runs, $workers of them held: status $(seconds status) s, a worker that finds nothing $(seconds worker) s"
head -n 1 status.log; tail -n 1 worker.log
