#!/usr/bin/env bash
# Random kills, power cuts and preemptions of studies on three nodes, as jobs of Slurm and as workers by hand on the same
# nodes, until there were so many kills. Every study ends in the bytes of one that nothing happened to, or the script ends with 1.
#   long.sh KDPIPE FOLDER KILLS [KILLS A STUDY]      as root, with slurm-wlm and munge installed
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kdpipe=$(realpath "$1") site=$(realpath -m "$2") wanted=$3 each=${4:-60}
mkdir -p "$site"
unset KDPIPE_CACHE KDPIPE_FAULT KDPIPE_LOG
export KD_SLURM_NS=1 KD_SLURM_CRED=5 KD_SLURM_TIMEOUT=10 KD_SLURM_KILLWAIT=10 KD_SLURM_PORT=${KD_SLURM_PORT:-19817}
bash "$here/cluster.sh" start "$site/cluster" 3 >"$site/cluster.log" 2>&1 || { cat "$site/cluster.log"; exit 3; }
. "$site/cluster/env"
cleanup() {
    touch "$site/over"; timeout 20 scancel -u root
    bash "$here/nodes_ns.sh" stop "$site/cluster"; bash "$here/cluster.sh" stop "$site/cluster"
}
trap cleanup EXIT
trap 'exit 4' INT TERM
rm -f "$site/over"
cat >"$site/study.toml" <<TOML
extends = "$here/tiny.toml"
[teacher.train]
steps = 60
checkpoint_every = 5
[train]
steps = ${KD_LONG_STEPS:-60}
evaluate_every = 20
checkpoint_every = 3
[grid]
arm = ["none", "mse"]
seed = [0, 1, 2, 3, 4, 5]
TOML
mkdir -p "$site/alone"; cp "$site/study.toml" "$site/alone/"
(cd "$site/alone" && KDPIPE_CACHE=$site/alone/cache "$kdpipe" run -q study.toml) >"$site/alone/log" 2>&1 || { cat "$site/alone/log"; exit 3; }

# A worker on a node, started again as soon as it is gone.
by_hand() { # by_hand FOLDER NODE
    while [[ ! -e $1/calm && ! -e $site/over ]]; do
        local first; first=$(pgrep -P "$(cat "$site/cluster/run/ns-n$2.pid")" | head -n 1)
        [[ -n $first ]] && (cd "$1" && KDPIPE_CACHE=$1/results/.cache nsenter -t "$first" -u -p -m --wd="$1" "$kdpipe" run study.toml --worker) >>"$1/by-hand-$2.log" 2>&1
        sleep 0.2
    done
}
kills=0 cuts=0 preemptions=0 round=0
while [[ $kills -lt $wanted ]]; do
    round=$((round + 1)); f=$site/$round; mkdir -p "$f"; cp "$site/study.toml" "$f/"
    (cd "$f" && "$kdpipe" submit study.toml --workers 2) >"$f/submit.log" 2>&1 || { cat "$f/submit.log"; exit 1; }
    hands=(); for node in 1 2 3; do by_hand "$f" $node 2>/dev/null & hands+=($!); done
    struck=0
    while [[ $struck -lt $each && ! -f $f/results/tiny/report.md ]]; do
        sleep "$((RANDOM % 2)).$((RANDOM % 10))"
        case $((RANDOM % 60)) in
        0)  node=$((RANDOM % 3 + 1)); bash "$here/nodes_ns.sh" crash "$site/cluster" $node; sleep 1
            bash "$here/nodes_ns.sh" one "$site/cluster" $node; cuts=$((cuts + 1)) ;;
        1 | 2) sbatch -p urgent --exclusive --mem=0 -w n$((RANDOM % 3 + 1)) -o /dev/null --wrap 'sleep 1' >/dev/null; preemptions=$((preemptions + 1)) ;;
        *)  victims=($({ pgrep -f "^$kdpipe (run|submit) " | while read -r pid; do grep -qF "$f" <(readlink "/proc/$pid/cwd"; tr '\0' ' ' <"/proc/$pid/cmdline") 2>/dev/null && echo "$pid"; done; } 2>/dev/null))
            [[ ${#victims[@]} -gt 0 ]] && kill -9 "${victims[RANDOM % ${#victims[@]}]}" 2>/dev/null && kills=$((kills + 1)) struck=$((struck + 1)) ;;
        esac
    done
    touch "$f/calm"; wait "${hands[@]}" 2>/dev/null
    scancel -u root; sleep 1
    # What was given up for want of steps is tried again by a command of the user's.
    (cd "$f" && export KDPIPE_CACHE=$f/results/.cache && { "$kdpipe" run -q study.toml --wait || "$kdpipe" run -q study.toml; }) >"$f/last.log" 2>&1 || { cat "$f/last.log"; exit 1; }
    "$kdpipe" diff --bytes "$f/results/tiny" "$site/alone/results/tiny" >"$f/diff.log" 2>&1 || { cat "$f/diff.log"; echo "study $round differs"; exit 1; }
    [[ -e $f/results/tiny/work ]] && { ls -R "$f/results/tiny/work"; echo "work was left behind in $round"; exit 1; }
    echo "study $round: $kills kills, $cuts power cuts, $preemptions preemptions so far"
done
