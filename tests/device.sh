#!/bin/bash
# What only a machine with a GPU shows, in under 8 minutes; called there, from the repository's root: bash tests/device.sh
# Before, on a machine that builds:
#   cargo build --release && cargo test --release --lib --no-run
#   mkdir -p carry && strip -o carry/kdpipe target/release/kdpipe && strip -o carry/unit target/release/deps/kdpipe-HASH && xz -T0 -6 carry/*
#   echo /carry/ >> .git/info/exclude
# then take the tree with `carry` to the card. Every part has a limit of its own and says how it ended; one that fails or is slow stops none behind it, and the ones that tell the most come
# first. $OUT (or ./out) gets log, summary.md, which holds the bars against what was measured, gpu.csv, and parts.tar with the rest. Where the program does not start on the card nothing else is tried.
set -u
OUT=${OUT:-$PWD/out}; T=$(mktemp -d); R=$T/parts; mkdir -p "$OUT" "$R"; exec > >(tee "$OUT/log") 2>&1
GPU=${GPU:---device cuda:0}; ALL=${ALL:-470}; FAILED=; : > "$R/parts"
# part LIMIT NAME COMMAND…
part() {
    local limit=$1 name=$2 from=$SECONDS rc=skipped left=$((ALL - SECONDS)); shift 2
    if [ $left -gt 5 ]; then timeout -k 5 $((limit < left ? limit : left)) "$@"; rc=$?; fi
    echo "== $name: rc $rc, $((SECONDS - from)) s (at $SECONDS s)"; echo "$name $rc $((SECONDS - from))" >> "$R/parts"
    [ "$rc" = 0 ] || { FAILED="$FAILED $name"; return 1; }
}
# What the command prints on stdout goes to NAME.json.
measure() { local limit=$1 name=$2; shift 2; part "$limit" "$name" bash -c '"${@:2}" > "$1"; rc=$?; cat "$1"; exit $rc' - "$R/$name.json" "$@"; }

nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader | tee "$R/card"; nproc; date -u
FOUND=$(ldconfig -p | grep -o "/.*"; find /usr/local /usr/lib /opt \( -name 'libcublas*.so.1[23]' -o -name 'libnvrtc*.so.1[23]*' -o -name 'libcuda.so.1' \) 2> /dev/null)
FOUND="$FOUND
$(python3 -c 'import os, nvidia; [print(os.path.join(d, f)) for p in nvidia.__path__ for d, _, fs in os.walk(p) for f in fs]' 2> /dev/null | grep -E 'lib(cublas|nvrtc)')"
for l in libcuda.so.1 libcublas.so.13 libcublasLt.so.13 libnvrtc.so.13 libcublas.so.12 libcublasLt.so.12 libnvrtc.so.12; do
    p=$(grep -m1 "/$l$" <<< "$FOUND"); echo "$l ${p:-ABSENT}"; [ -n "$p" ] && LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$(dirname "$p")
done
export KDPIPE_CACHE=$T/cache
unpack() { python3 -c "import lzma,shutil; shutil.copyfileobj(lzma.open('carry/$1.xz'), open('$T/$1','wb'))" && chmod +x "$T/$1"; }
unpack kdpipe; unpack unit
K=$T/kdpipe
# Whether the program finds the libraries by itself, before they are named.
part 60 finds-alone "$K" -q check pipelines/smoke.toml $GPU
export LD_LIBRARY_PATH
# The second start finds the kernels compiled.
part 60 first-start "$K" -q check pipelines/smoke.toml $GPU || ALL=0
part 15 second-start "$K" -q check pipelines/smoke.toml $GPU

# Does dfdx make a device, are addresses what they are taken for, does NVRTC compile, do values and gradients agree: every test of the card, on the card.
export KDPIPE_TEST_REAL_CARD=1
part 100 ops bash -c '"$1" ops::cuda --skip planted --test-threads=1 2>&1 | tee "$2"; exit ${PIPESTATUS[0]}' - "$T/unit" "$T/ops.log" || {
    # A fault of the card ends a process, and hides what comes after it: each again by itself.
    for test in $(sed -nE 's/^test ([^ ]+) \.\.\. *(FAILED)?$/\1/p' "$T/ops.log" | head -8); do
        part 15 "again-$test" "$T/unit" "$test" --exact --nocapture
    done
}

# The smoke study, critics and all: on the card, again from nothing, and on the processor.
SMOKE="$K -q run pipelines/smoke.toml"
part 60 smoke-gpu $SMOKE --results "$T/gpu" $GPU
part 60 smoke-gpu-again env KDPIPE_CACHE="$T/cache2" $SMOKE --results "$T/again" $GPU
part 20 same-bits "$K" diff --bytes "$T/gpu/smoke" "$T/again/smoke"
part 60 smoke-cpu $SMOKE --results "$T/cpu"
part 30 losses env T="$T" python3 - <<'PY'
import json, os, pathlib, sys, tomllib
T = os.environ['T']
def runs(folder):
    lock = tomllib.loads((folder / 'lock.toml').read_text())
    return {tuple(sorted(cell['at'].items())): folder / 'runs' / cell['run'] for cell in lock['cells']}
def test_loss(run):
    return [json.loads(f.read_text())['test']['nll_nats_per_token'] for f in run.glob('**/eval.json')][0]
try:
    import pyarrow.parquet
    steps = lambda run: pyarrow.parquet.read_table(run / 'metrics.parquet').column('loss').to_pylist()
except ImportError:
    print('losses of steps are not compared: there is no pyarrow'); steps = None
a, b = runs(pathlib.Path(T + '/cpu/smoke')), runs(pathlib.Path(T + '/gpu/smoke'))
bad = len(a) == 0 or a.keys() != b.keys()
for at in sorted(a.keys() & b.keys()):
    x, y = test_loss(a[at]), test_loss(b[at])
    bad |= abs(x - y) > 0.05
    print(' '.join(v for _, v in at), f'test loss {x:.5f} on the processor, {y:.5f} on the card')
    if steps:
        first = max(abs(p - q) / abs(p) for p, q in list(zip(steps(a[at]), steps(b[at])))[:10])
        bad |= first > 1e-3
        print(f'  the first ten losses within {first:.1e}')
sys.exit(bad)
PY

B="$K bench tests/bench/large.toml --json --set train.batch=16 $GPU"; BF16="--set train.precision=bf16 --set teacher.precision=bf16"
PEER="python3 tests/bench/peer.py large --device cuda --batch 16"
measure 50 bench-bf16 $B $BF16 --steps 20
nvidia-smi --query-gpu=memory.used,utilization.gpu,clocks.sm --format=csv,noheader -lms 500 > "$OUT/gpu.csv" 2> /dev/null & WATCH=$!
measure 90 bench-bf16-nine $B $BF16 --runs 9 --steps 10
kill $WATCH 2> /dev/null
measure 90 peer-bf16-compile $PEER --bf16 --compile --steps 20
measure 50 bench-tf32 $B --steps 20 --set train.precision=tf32 --set teacher.precision=tf32
measure 50 bench-f32 $B --steps 10
measure 60 bench-critics $B $BF16 --steps 20 --set loss.hidden.kind=hidden.wasserstein --set loss.hidden.critic.steps=5
measure 40 peer-tf32 $PEER --tf32 --steps 10
# Memory and races, kernel by kernel.
for tool in memcheck racecheck; do
    command -v compute-sanitizer > /dev/null && part 60 $tool compute-sanitizer --tool $tool --error-exitcode 9 "$T/unit" ops::cuda::cuda_tests::l ops::cuda::critic_tests::the_term ops::cuda::decoding_tests --test-threads=1 -q
done
# Where the time goes.
command -v nsys > /dev/null && part 60 nsys nsys profile --stats=true -o "$T/step" --force-overwrite true $B --steps 3 $BF16

python3 - "$R" "$OUT" <<'PY'
import json, pathlib, sys
out, told = map(pathlib.Path, sys.argv[1:])
def read(name):
    try:
        return json.loads((out / f'{name}.json').read_text().splitlines()[-1] if name.startswith('peer') else (out / f'{name}.json').read_text())
    except (OSError, ValueError, IndexError):
        return None
lines = ['# On a card', '', (out / 'card').read_text().strip() if (out / 'card').exists() else '', '', '| part | ended | seconds |', '| --- | --- | ---: |']
for line in (out / 'parts').read_text().splitlines():
    name, rc, seconds = line.split()
    lines.append(f"| {name} | {'well' if rc == '0' else rc if rc == 'skipped' else 'code ' + rc} | {seconds} |")
names = ['bench-f32', 'bench-tf32', 'bench-bf16', 'bench-bf16-nine', 'bench-critics', 'peer-tf32', 'peer-bf16-compile']
found = {name: read(name) for name in names}
lines += ['', '| measured | ms a step | tokens/s | card, GB |', '| --- | ---: | ---: | ---: |']
for name, row in found.items():
    if row:
        memory = row.get('peak_card_bytes') or row.get('peak_device_bytes') or 0
        lines.append(f"| {name} | {1e3 * row['seconds_per_step']:.2f} | {row['tokens_per_second']:.0f} | {memory / 1e9:.1f} |")
    else:
        lines.append(f'| {name} | – | – | – |')
one, nine, tf32, peer = (found[name] for name in ['bench-bf16', 'bench-bf16-nine', 'bench-tf32', 'peer-bf16-compile'])
def bar(name, value, limit, is_least, form='{:.0f}'):
    if value is None:
        return f'| {name} | not measured | |'
    met = value >= limit if is_least else value <= limit
    return f"| {name} | {form.format(value)} | {'met' if met else 'missed'} ({'at least' if is_least else 'at most'} {limit}) |"
ratio = lambda a, b: a / b if a and b else None
speed, step = lambda row: row and row['tokens_per_second'], lambda row: row and row['seconds_per_step']
lines += ['', '| bar | found | |', '| --- | ---: | --- |',
    bar('tokens/s in bf16', speed(one), 300_000, True), bar('of the PyTorch peer in bf16', ratio(speed(one), speed(peer)), 1.3, True, '{:.2f}'),
    bar('tokens/s in tf32', speed(tf32), 180_000, True), bar('nine together, of nine alone', ratio(step(nine), step(one) and 9 * step(one)), 0.75, False, '{:.2f}'),
    bar('memory of nine, GB', nine and nine.get('peak_card_bytes') and nine['peak_card_bytes'] / 1e9, 24, False, '{:.1f}'),
    bar('minutes of 27 runs of 5000 steps, by nine, without evaluation', step(nine) and 3 * 5000 * step(nine) / 60, 60, False, '{:.0f}')]
(told / 'summary.md').write_text('\n'.join(lines) + '\n')
print('\n'.join(lines))
PY
tar cf "$OUT/parts.tar" -C "$T" parts
echo "failed:${FAILED:- none}"; rm -rf "$T"; [ -z "$FAILED" ]
