#!/usr/bin/env bash
# Studies on real Slurm clusters of this machine, and what befalls them. As root, with slurm-wlm and munge installed.
#   cases.sh KDPIPE FOLDER [CASE...]       every case by default; prints a line for each, ends with 1 if one fails
# A case that came too late for what was to befall it (the machine is busy) is tried again, twice at the most, with a study of
# twice the length.
# Two clusters: one on which jobs are warned, preempted, requeued and killed, one whose nodes fail. Cases run beside each other,
# since most of their time is Slurm's own waiting. How many steps a study of so many seconds has is measured first.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kdpipe=$(realpath "$1") site=$(realpath -m "$2"); shift 2
# In two halves, so that a machine with two cores is not asked for all at once; the slow ones begin with the first.
all=(node_power slurmd_alone together frozen inside refusals one_cpu lost_answer kill_9 time_limit time_limit_srun preempted usr1_last)
cases=("${@:-${all[@]}}")
mkdir -p "$site"
unset KDPIPE_CACHE KDPIPE_FAULT KDPIPE_LOG
for name in $(compgen -e | grep '^SLURM_\|^SBATCH_' || :); do unset "$name"; done
export KD_SLURM_NS=1 KD_SLURM_CRED=5 KD_SLURM_TIMEOUT=10 KD_SLURM_KILLWAIT=10 KD_SLURM_TASK=${KD_SLURM_TASK:-task/none}
KD_SLURM_PORT=17817 bash "$here/cluster.sh" start "$site/steady" 2 >"$site/steady.log" 2>&1 || { cat "$site/steady.log"; exit 3; }
KD_SLURM_PORT=18817 bash "$here/cluster.sh" start "$site/frail" 6 >"$site/frail.log" 2>&1 || { cat "$site/frail.log"; exit 3; }
cleanup() {
    for cluster in steady frail; do
        (. "$site/$cluster/env"; timeout 20 scancel -u root) >/dev/null 2>&1
        bash "$here/nodes_ns.sh" stop "$site/$cluster"; bash "$here/cluster.sh" stop "$site/$cluster"
    done
}
trap cleanup EXIT
trap 'exit 4' INT TERM

spec() { # spec FOLDER ARMS SEEDS STEPS CHECKPOINT_EVERY
    mkdir -p "$1"
    cat >"$1/study.toml" <<TOML
extends = "$here/tiny.toml"
[train]
steps = $4
evaluate_every = 100000
checkpoint_every = $5
[grid]
arm = $2
seed = $3
TOML
}
# A study of one run that takes so many seconds alone.
lengthy() { spec "$1" '["mse"]' "[$3]" "$(($2 * rate * stretch))" 100000; }
fail() { echo "FAILED: $*"; exit 1; }
too_late() { echo "TOO LATE: $*"; exit 5; }
in_cluster() { . "$site/$1/env"; }
submit() { # submit FOLDER ARGS...: in the folder, as a user would; leaves what it said in submit.log
    (cd "$1" && shift && "$kdpipe" submit study.toml "$@") >"$1/submit.log" 2>&1
}
id() { sed -n "/stage = \"$2\"/{n;s/id = \"\(.*\)\"/\1/p}" "$1/results/tiny/slurm/jobs.toml"; } # id FOLDER STAGE
# The end of all jobs of a study; the numbers may change, as workers may be submitted again.
finished() { # finished FOLDER SECONDS
    for _ in $(seq "$(($2 * 2 * stretch))"); do
        [[ -f $1/results/tiny/report.md ]] && return
        sleep 0.5
    done
    (cd "$1" && "$kdpipe" status study.toml -v); tail -n 5 "$1"/results/tiny/slurm/*.log
    fail "no report after $2 s"
}
step_above() { # step_above FOLDER STEP: until a run is that far
    for _ in $(seq 240); do
        local at; at=$(cd "$1" && "$kdpipe" status study.toml --json 2>/dev/null | grep -o '"step": [0-9]*' | grep -o '[0-9]*' | sort -n | tail -n 1)
        [[ ${at:-0} -gt $2 ]] && return
        sleep 0.25
    done
    fail "no run came beyond step $2"
}
same() { # same FOLDER: as one process does it
    local alone=$1/alone
    [[ -d $alone/results ]] || { mkdir -p "$alone"; cp "$1/${2:-study.toml}" "$alone/study.toml"; (cd "$alone" && KDPIPE_CACHE=$alone/cache "$kdpipe" run -q study.toml) >"$alone/log" 2>&1 || { cat "$alone/log"; fail "one process"; }; }
    "$kdpipe" diff --bytes "$1/results/tiny" "$alone/results/tiny" >"$1/diff.log" 2>&1 || { cat "$1/diff.log"; tail -n 20 "$1"/results/tiny/slurm/*.log; fail "not the bytes of one process"; }
}
node_of() { squeue -h -j "$1" -t RUNNING -o %N | head -n 1; }
running() { for _ in $(seq 120); do [[ -n $(node_of "$1") ]] && return; sleep 0.5; done; fail "job $1 does not start"; }
restarts() { scontrol show job "$1" | grep -o 'Restarts=[0-9]*' | cut -d= -f2 | sort -n | tail -n 1; }
logs() { cat "$1"/results/tiny/slurm/*.log; } # what reads it reads all of it: with pipefail, `grep -q` would end it half way, and fail

case_together() { # 1 and 2
    in_cluster steady; local f=$site/together; spec "$f" '["none", "mse"]' "[0, 1, 2, 3]" 10 3
    submit "$f" --workers 4 || fail "$(cat "$f/submit.log")"
    finished "$f" 120
    local array; array=$(id "$f" workers)
    for job in $(id "$f" prepare) "$array" $(id "$f" finish); do
        for _ in $(seq 20); do scontrol show job "$job" | grep >/dev/null 'JobState=\(RUNNING\|COMPLETING\)' || break; sleep 0.5; done
        scontrol show job "$job" | grep -o 'ExitCode=[0-9:]*' | grep -v >/dev/null 'ExitCode=0:0' && fail "job $job: $(scontrol show job "$job" | grep -o 'JobState=.*\|ExitCode=[^ ]*')"
    done
    for once in "training a tokenizer" "training the teacher" "evaluating the teacher"; do
        [[ $(logs "$f" | grep -c "$once") -eq 1 ]] || fail "$once: $(logs "$f" | grep -c "$once") times"
    done
    for seed in 0 1 2 3; do
        local of; of=$(grep -l "of seed $seed together\|^finished .*seed=$seed:" "$f"/results/tiny/slurm/*.log | wc -l)
        [[ $of -eq 1 ]] || fail "seed $seed is in $of logs"
    done
    same "$f"
    submit "$f" --workers 4 && grep -q 'nothing is left to submit' "$f/submit.log" || fail "$(cat "$f/submit.log")"
}
time_limit() { # time_limit FOLDER SCRIPT: runs of more than the limit, which go on after a warning
    local f=$1 job
    job=$(sbatch --parsable --array=1-1 --time=1 --requeue --open-mode=append -o "$f/log" "$2") || fail "sbatch"
    for _ in $(seq "$((400 * stretch))"); do [[ -n $(ls "$f/results/tiny/runs" 2>/dev/null) ]] && break; sleep 0.5; done
    [[ $(restarts "${job}_1") -ge 1 ]] || too_late "never requeued: $(scontrol show job "${job}_1" | head -n 8) $(cat "$f/log")"
    grep -q 'stopped; everything is saved' "$f/log" || fail "$(cat "$f/log")"
    grep -q 'training arm=mse.*, from step [1-9]' "$f/log" || fail "did not go on: $(cat "$f/log")"
    (cd "$f" && KDPIPE_CACHE=$f/cache "$kdpipe" run -q study.toml --wait) || fail "the report"
    same "$f"
}
case_time_limit() { # 3, plain
    in_cluster steady; local f=$site/time_limit$try; lengthy "$f" 35 0
    printf '#!/bin/sh\n#SBATCH --signal=B:USR1@35\nexport KDPIPE_CACHE=%s/cache\ncd %s\nexec %s run study.toml --worker\n' "$f" "$f" "$kdpipe" >"$f/job"
    time_limit "$f" "$f/job"
}
case_time_limit_srun() { # 3, under srun: without B: it is the step that hears
    in_cluster steady; local f=$site/time_limit_srun$try; lengthy "$f" 35 0
    printf '#!/bin/sh\n#SBATCH --signal=USR1@35\nexport KDPIPE_CACHE=%s/cache\ncd %s\nsrun %s run study.toml --worker\n' "$f" "$f" "$kdpipe" >"$f/job"
    time_limit "$f" "$f/job"
}
case_preempted() { # 4
    # Alone on its node: the urgent job takes all of it, and with it whatever else is there.
    in_cluster frail; local f=$site/preempted$try; lengthy "$f" 20 0
    submit "$f" --workers 1 -- --exclusive || fail "$(cat "$f/submit.log")"
    local array; array=$(id "$f" workers); step_above "$f" $((3 * rate))
    local urgent; urgent=$(sbatch --parsable -p urgent -w "$(node_of "$array")" --exclusive --mem=0 -o /dev/null --wrap 'sleep 3')
    finished "$f" 200
    [[ $(restarts "${array}_1") -ge 1 ]] || too_late "was not preempted"
    logs "$f" | grep >/dev/null 'training arm=mse.*, from step [1-9]' || fail "did not go on: $(logs "$f")"
    same "$f"
}
case_node_power() { # 5
    in_cluster frail; local f=$site/node_power$try; lengthy "$f" 15 0
    submit "$f" --workers 1 -- --exclusive || fail "$(cat "$f/submit.log")"
    local array; array=$(id "$f" workers); step_above "$f" $((3 * rate))
    bash "$here/nodes_ns.sh" crash "$site/frail" "$(node_of "$array" | tr -d n)"
    finished "$f" 260
    same "$f"
}
case_slurmd_alone() { # 6
    in_cluster frail; local f=$site/slurmd_alone$try; lengthy "$f" 45 1
    submit "$f" --workers 1 -- --exclusive || fail "$(cat "$f/submit.log")"
    local array node; array=$(id "$f" workers); step_above "$f" $((3 * rate)); node=$(node_of "$array")
    kill -9 $(pgrep -f "slurmd -D -N $node" | while read -r pid; do grep -zq "SLURM_CONF=$SLURM_CONF" "/proc/$pid/environ" && [[ $(cat "/proc/$pid/comm") == slurmd ]] && echo "$pid"; done)
    finished "$f" 280
    logs "$f" | grep >/dev/null 'nothing is left to take; others hold 1 run' || second=none
    [[ $(logs "$f" | grep -c '^finished ') -eq 1 ]] || fail "two results: $(logs "$f")"
    same "$f"
    [[ -z ${second:-} ]] || too_late "the second copy: $(logs "$f")"
}
case_kill_9() { # 7
    in_cluster steady; local f=$site/kill_9$try; lengthy "$f" 12 0
    submit "$f" --workers 1 || fail "$(cat "$f/submit.log")"
    step_above "$f" $((2 * rate))
    kill -9 $(pgrep -f "$f/results/tiny/slurm/frozen.toml.*--worker") || too_late "the worker was gone"
    finished "$f" 280
    local array; array=$(id "$f" workers)
    scontrol show job "${array}_1" | grep >/dev/null 'ExitCode=0:9\|ExitCode=137:0' || fail "the worker was not killed"
    same "$f"
}
case_usr1_last() { # 8
    in_cluster steady; local f=$site/usr1_last$try; spec "$f" '["mse"]' "[0, 1]" "$((20 * rate * stretch))" 100000
    # Where nobody preempts: a sibling's restart would be of another cause.
    submit "$f" --workers 2 -- -p urgent || fail "$(cat "$f/submit.log")"
    local array; array=$(id "$f" workers); running "${array}_2"; running "${array}_1"; step_above "$f" "$rate"
    scancel -b --signal=USR1 "${array}_2"
    finished "$f" 200
    [[ $(restarts "${array}_2") -ge 1 ]] || too_late "the last task was not requeued"
    [[ $(scontrol show job "${array}_1" | grep -o 'Restarts=[0-9]*') == Restarts=0 ]] || fail "its sibling was restarted"
    same "$f"
}
case_inside() { # 9
    in_cluster steady; local f=$site/inside; spec "$f" '["mse"]' "[0, 1]" 10 3
    sbatch -W --array=1-2 --mem-per-cpu=300 -o "$f/outer-%a.log" --wrap "[ \$SLURM_ARRAY_TASK_ID = 1 ] || exit 0; cd $f && $kdpipe submit study.toml --workers 2 -- --mem=1100" >/dev/null || fail "$(cat "$f"/outer-1.log)"
    local array; array=$(id "$f" workers)
    scontrol show job "$array" | grep >/dev/null 'MinMemoryNode=1100M' || fail "$(scontrol show job "$array")"
    finished "$f" 120
    same "$f"
}
case_frozen() { # 10
    in_cluster steady; local f=$site/frozen; spec "$f" '["mse"]' "[0, 1]" 10 3
    cp "$f/study.toml" "$f/first.toml"
    submit "$f" --workers 2 -- --begin=now+6 || fail "$(cat "$f/submit.log")"
    sed -i 's/seed = \[0, 1\]/seed = [0, 1, 2]/; s/^steps = 10/steps = 11/' "$f/study.toml"
    ! submit "$f" || fail "another form was submitted beside the first"
    grep -q 'is submitted already, with another spec' "$f/submit.log" || fail "$(cat "$f/submit.log")"
    finished "$f" 120
    same "$f" first.toml
}
refused() { # refused FOLDER WORDS ARGS...
    local f=$1 words=$2; shift 2
    submit "$f" "$@"; local code=$?
    grep -qF -- "$words" "$f/submit.log" && [[ $code -eq 2 ]] || fail "exit $code: $(cat "$f/submit.log") instead of: $words"
}
case_refusals() { # 11
    in_cluster steady; local f=$site/refusals; spec "$f" '["mse"]' "[0]" 10 3
    refused "$f" 'invalid partition specified: nowhere' -- -p nowhere
    grep -q 'sinfo -s lists them' "$f/submit.log" || fail "$(cat "$f/submit.log")"
    refused "$f" '-c 64 fits no node (PartitionConfig): the job would wait for ever' -- -c 64
    [[ -z $(squeue -h -n "$(sed -n 's/^name = "\(.*\)"/\1-prepare/p' "$f/results/tiny/slurm/jobs.toml")") ]] || fail "it waits still"
    local g=$site/refusals2; spec "$g" '["mse"]' "[0]" 10 3; mkdir -p "$g/results/tiny"; echo >"$g/results/tiny/slurm"
    refused "$g" 'slurm' --workers 2
    sed 's/SlurmctldPort=.*/SlurmctldPort=17999/' "$SLURM_CONF" >"$site/down.conf"
    (export SLURM_CONF=$site/down.conf; refused "$f" 'Unable to contact slurm controller') || exit 1
    (PATH=/nowhere refused_path "$f") || exit 1
}
refused_path() {
    (cd "$1" && PATH=/nowhere "$kdpipe" submit study.toml) >"$1/submit.log" 2>&1; local code=$?
    [[ $code -eq 2 && $(<"$1/submit.log") == *'sbatch is not on this machine; log in to the cluster, or start "kdpipe run SPEC --worker" on each machine'* ]] || fail "exit $code: $(<"$1/submit.log")"
}
case_one_cpu() { # 12
    in_cluster steady; local f=$site/one_cpu; spec "$f" '["mse"]' "[0]" 10 3
    submit "$f" --workers 1 -- -c1 || fail "$(cat "$f/submit.log")"
    finished "$f" 120
    cat "$f"/results/tiny/runs/*/events.jsonl | grep started | grep >/dev/null '"threads":1[,}]' || fail "$(cat "$f"/results/tiny/runs/*/events.jsonl)"
}

case_lost_answer() { # sbatch gives up, and the job is there all the same: of each stage one job is
    in_cluster steady; local f=$site/lost_answer; spec "$f" '["mse"]' "[0]" 10 3; mkdir -p "$f/bin"
    cat >"$f/bin/sbatch" <<SH
#!/bin/sh
$(command -v sbatch) "\$@" >>"$f/submitted" || exit
[ "\$(wc -l <"$f/submitted")" -ne 2 ] || { echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1; }
tail -n 1 "$f/submitted"
SH
    chmod +x "$f/bin/sbatch"
    PATH=$f/bin:$PATH submit "$f" --workers 1 || fail "$(cat "$f/submit.log")"
    [[ $(wc -l <"$f/submitted") -eq 3 ]] || fail "$(cat "$f/submitted") were submitted"
    [[ $(id "$f" workers) == "$(sed -n 2p "$f/submitted")" ]] || fail "$(cat "$f/results/tiny/slurm/jobs.toml")"
    finished "$f" 120
    same "$f"
}

# Steps a second, by one process with one thread.
measure() {
    local f=$site/measure; spec "$f" '["mse"]' "[0]" 100 100000
    (cd "$f" && KDPIPE_CACHE=$f/cache "$kdpipe" run -q --threads 1 study.toml) >"$f/log" 2>&1 || { cat "$f/log"; exit 3; }
    "$kdpipe" diff "$f/results/tiny" "$f/results/tiny" >/dev/null || exit 3
    local begun ended; begun=$(date +%s%N)
    (cd "$f" && KDPIPE_CACHE=$f/cache "$kdpipe" run -q --threads 1 study.toml --set train.steps=300) >"$f/log" 2>&1 || { cat "$f/log"; exit 3; }
    ended=$(date +%s%N)
    rate=$((300 * 1000000000 / (ended - begun) + 1))
}
measure
echo "$rate steps a second"
pids=()
for name in "${cases[@]}"; do
    (begun=$(date +%s) stretch=1
    for try in "" _2 _3; do
        ("case_$name") >"$site/$name.result" 2>&1; code=$?
        [[ $code -eq 5 ]] || break
        echo "$name: too late after $(($(date +%s) - begun)) s"; stretch=$((stretch * 2))
    done
    echo "$name: $([[ $code -eq 0 ]] && echo ok || echo FAILED) after $(($(date +%s) - begun)) s"; exit $code) &
    pids+=($!)
    # Six at a time.
    while [[ $(jobs -rp | wc -l) -ge ${KD_CASES_TOGETHER:-6} ]]; do sleep 0.5; done
done
failed=0
for i in "${!pids[@]}"; do
    wait "${pids[$i]}" || { failed=1; echo "---- ${cases[$i]}"; cat "$site/${cases[$i]}.result"; }
done
exit $failed
