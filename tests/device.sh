#!/bin/bash
# What only a machine with a GPU shows, in under 8 minutes; called there, from the repository's root: bash tests/device.sh
# Before, on a machine that builds:
#   cargo build --release && cargo test --release --lib --no-run
#   mkdir -p carry && strip -o carry/kdpipe target/release/kdpipe && strip -o carry/unit target/release/deps/kdpipe-HASH && xz -T0 -6 carry/*
#   echo /carry/ >> .git/info/exclude
# then take the tree with `carry` to the card. Each part has a limit of its own and says how it ended; the first ones tell the most.
set -u
OUT=${OUT:-$PWD/out}; T=$(mktemp -d); mkdir -p "$OUT"; exec > >(tee "$OUT/log") 2>&1
GPU=${GPU:---device cuda:0}; FAILED=
part() {
    local limit=$1 name=$2 from=$SECONDS; shift 2
    timeout "$limit" "$@"; local rc=$?
    echo "== $name: rc $rc, $((SECONDS - from)) s (at $SECONDS s)"; [ $rc = 0 ] || FAILED="$FAILED $name"
}

nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader; nproc
FOUND=$(ldconfig -p | grep -o "/.*"; find /usr/local /usr/lib /opt \( -name 'libcublas*.so.1[23]' -o -name 'libnvrtc*.so.1[23]*' -o -name 'libcuda.so.1' \) 2> /dev/null)
for l in libcuda.so.1 libcublas.so.13 libcublasLt.so.13 libnvrtc.so.13 libcublas.so.12 libnvrtc.so.12; do
    p=$(grep -m1 "/$l$" <<< "$FOUND"); echo "$l ${p:-ABSENT}"; [ -n "$p" ] && LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$(dirname "$p")
done
export KDPIPE_CACHE=$T/cache
unpack() { python3 -c "import lzma,shutil; shutil.copyfileobj(lzma.open('carry/$1.xz'), open('$T/$1','wb'))" && chmod +x "$T/$1"; }
unpack kdpipe; unpack unit
K=$T/kdpipe
# Whether the program finds the libraries by itself, before they are named.
NO_CRITIC="--set loss.hidden.kind=hidden.mse"
part 30 finds-alone "$K" -q check pipelines/smoke.toml $NO_CRITIC $GPU
export LD_LIBRARY_PATH

# Does dfdx make a device, are addresses what they are taken for, does NVRTC compile, do values and gradients agree: every test of the card, on the card.
part 100 ops "$T/unit" ops::cuda --skip planted --test-threads=1
command -v compute-sanitizer > /dev/null && part 60 memcheck compute-sanitizer --error-exitcode 9 "$T/unit" ops::cuda::cuda_tests::layer_norms --test-threads=1 -q
command -v compute-sanitizer > /dev/null && part 60 racecheck compute-sanitizer --tool racecheck --error-exitcode 9 "$T/unit" ops::cuda::cuda_tests::layer_norms --test-threads=1 -q

# The smoke study without its critic: on the processor, on the card, and again.
SMOKE="$K -q run pipelines/smoke.toml $NO_CRITIC"
part 60 smoke-cpu $SMOKE --results "$T/cpu"
part 60 smoke-gpu $SMOKE --results "$T/gpu" $GPU
part 60 smoke-gpu-again env KDPIPE_CACHE="$T/cache2" $SMOKE --results "$T/again" $GPU
part 20 same-bits "$K" diff --bytes "$T/gpu/smoke" "$T/again/smoke"
part 30 losses env T="$T" python3 - <<'PY'
import os, tomllib, pathlib, sys
T = os.environ['T']
def evals(folder):
    import json
    lock = tomllib.loads((folder / 'lock.toml').read_text())
    out = {}
    for cell in lock['cells']:
        for f in (folder / 'runs' / cell['run']).glob('**/eval.json'):
            out[tuple(sorted(cell['at'].items()))] = json.loads(f.read_text())['test']['nll_nats_per_token']
    return out
a, b = evals(pathlib.Path(T + '/cpu/smoke')), evals(pathlib.Path(T + '/gpu/smoke'))
bad = len(a) == 0 or a.keys() != b.keys()
for at in sorted(a.keys() & b.keys()):
    print(' '.join(v for _, v in at), f"test loss {a[at]:.5f} on the processor, {b[at]:.5f} on the card")
    bad |= abs(a[at] - b[at]) > 0.05
sys.exit(bad)
PY

B="$K bench tests/bench/large.toml --set train.batch=16 --steps 20 $GPU"
part 50 bench-f32 $B
part 50 bench-bf16 $B --set train.precision=bf16 --set teacher.precision=bf16
( nvidia-smi --query-gpu=memory.used,utilization.gpu,clocks.sm --format=csv,noheader -lms 500 > "$OUT/gpu.csv" & p=$!
  part 70 bench-bf16-nine $B --set train.precision=bf16 --set teacher.precision=bf16 --runs 9; kill $p 2> /dev/null )
# Where the time goes.
command -v nsys > /dev/null && part 60 nsys nsys profile --stats=true -o "$OUT/step" --force-overwrite true $B --steps 3 --set train.precision=bf16 --set teacher.precision=bf16
echo "failed:${FAILED:- none}"; [ -z "$FAILED" ]
