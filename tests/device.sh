#!/bin/bash
# What only a machine with a GPU shows, in under 8 minutes; called there, from the repository's root: bash tests/device.sh
# Before, on a machine that builds:
#   cargo build --release && cargo test --release --lib --no-run
#   mkdir -p carry && strip -o carry/kdpipe target/release/kdpipe && strip -o carry/unit target/release/deps/kdpipe-HASH && xz -T0 -6 carry/*
#   echo /carry/ >> .git/info/exclude
# then take the tree with `carry` to the card. Every part has a limit of its own and says how it ended; one that fails or is slow stops none behind it, and the ones that tell the most come
# first. ONLY='^(first-start|bench-bf16)$' chooses parts by their names. $OUT (or ./out) gets log, summary.md, which holds the bars against what was measured, gpu.csv, and parts.tar with the rest.
# Where the program does not start on the card, with no pair of libraries, PyTorch is measured alone.
set -u
OUT=${OUT:-$PWD/out}; T=$(mktemp -d); R=$T/parts; mkdir -p "$OUT" "$R"; exec > >(tee "$OUT/log") 2>&1
GPU=${GPU:---device cuda:0}; ALL=${ALL:-470}; FAILED=; STARTED=yes; WARM=; : > "$R/parts"
# What follows from a failure of another part is done with it.
chosen() { [[ $1 =~ ${ONLY:-.} || $1 = start-with-pair-* || $1 = again-* ]]; }
# part LIMIT NAME COMMAND…; RC is what it ended with.
part() {
    local limit=$1 name=$2 from=$SECONDS left=$((ALL - SECONDS)); shift 2; RC=0
    chosen "$name" || return 0
    RC=skipped
    if [ $left -gt 5 ] && [[ $STARTED = yes || $name = peer-* ]]; then timeout -k 5 $((limit < left ? limit : left)) "$@"; RC=$?; fi
    echo "== $name: rc $RC, $((SECONDS - from)) s (at $SECONDS s)"; echo "$name $RC $((SECONDS - from))" >> "$R/parts"
    [ "$RC" = 0 ] || { FAILED="$FAILED $name"; return 1; }
}
# What the command prints on stdout goes to NAME.json.
measure() { local limit=$1 name=$2; shift 2; part "$limit" "$name" bash -c '"${@:2}" > "$1"; rc=$?; cat "$1"; exit $rc' - "$R/$name.json" "$@"; }

nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader | tee "$R/card"; nproc; date -u
# What PyTorch compiles is compiled beside the tests, and found again when it is timed.
export TORCHINDUCTOR_CACHE_DIR=$T/inductor
PEER="python3 tests/bench/peer.py large --device cuda --batch 16"
if chosen peer-bf16-compile; then timeout -k 5 $((ALL < 240 ? ALL : 240)) $PEER --bf16 --compile --steps 1 > "$R/peer-compiles.log" 2>&1 & WARM=$!; fi

# LD_LIBRARY_PATH stays as it came: whether the program finds the libraries by itself is asked first, and PyTorch has its own. What was built for other drivers, or to link only, is none.
FOUND=$({
    ldconfig -p | grep -o "/.*"
    find /usr/local /usr/lib /opt \( -name 'libcublas*.so.1[23]' -o -name 'libnvrtc*.so.1[23]*' -o -name 'libcuda.so.1' \)
    python3 -c 'import os, nvidia; [print(os.path.join(d, f)) for p in nvidia.__path__ for d, _, fs in os.walk(p) for f in fs]' | grep -E 'lib(cublas|nvrtc)'
} 2> /dev/null | grep -vE '/(compat|stubs)/' | awk '!seen[$0]++')
LIBS=${LD_LIBRARY_PATH:-}; DRIVER=
for l in libcuda.so.1 libcublas.so.13 libcublasLt.so.13 libnvrtc.so.13 libcublas.so.12 libcublasLt.so.12 libnvrtc.so.12; do
    p=$(grep -m1 "/$l$" <<< "$FOUND"); echo "$l ${p:-ABSENT}"
    [ -z "$p" ] || { LIBS=${LIBS:+$LIBS:}$(dirname "$p"); [ $l != libcuda.so.1 ] || DRIVER=$(dirname "$p"); }
done
# Folders of a cuBLAS and an NVRTC of one CUDA, which lie as near to each other as can be.
pairs() {
    local major blas nvrtc
    for major in 13 12; do
        for blas in $(grep "/libcublas.so.$major$" <<< "$FOUND"); do
            nvrtc=$(for near in "${blas%/*}" "${blas%/*/*/*}" ""; do grep -m1 "^$near/.*libnvrtc.so.$major$" <<< "$FOUND" && break; done)
            [ -z "$nvrtc" ] || echo "$(dirname "$blas"):$(dirname "$nvrtc")"
        done
    done | head -4
}
export KDPIPE_CACHE=$T/cache
unpack() { python3 -c "import lzma,shutil; shutil.copyfileobj(lzma.open('carry/$1.xz'), open('$T/$1','wb'))" && chmod +x "$T/$1"; }
unpack kdpipe; unpack unit
CHECK="-q check pipelines/smoke.toml $GPU"
# What the program was at when a signal ended it.
backtrace() {
    [ "$RC" != skipped ] && [ "$RC" -ge 128 ] || return 0
    local gdb; gdb=$(command -v cuda-gdb || ls /usr/local/cuda*/bin/cuda-gdb 2> /dev/null | head -1)
    if [ -n "$gdb" ]; then
        timeout -k 5 40 env LD_LIBRARY_PATH="$LIBS" "$gdb" -batch -ex run -ex 'thread apply all bt' --args "$T/kdpipe" $CHECK < /dev/null
    else
        timeout -k 5 20 env LD_LIBRARY_PATH="$LIBS" LD_DEBUG=libs LD_DEBUG_OUTPUT="$R/loads" "$T/kdpipe" $CHECK; tail -n 40 "$R"/loads.*
    fi
}
start() { part "$1" "$2" env LD_LIBRARY_PATH="$LIBS" "$T/kdpipe" $CHECK; }
part 60 finds-alone "$T/kdpipe" $CHECK
if ! start 60 first-start; then
    backtrace; tried=0
    for pair in $(pairs); do
        LIBS=$pair${DRIVER:+:$DRIVER}; tried=$((tried + 1)); echo "with $LIBS alone"
        start 30 "start-with-pair-$tried" && break
    done
    [ "$RC" = 0 ] || STARTED=no
fi
K="env LD_LIBRARY_PATH=$LIBS $T/kdpipe"
# This one finds the kernels compiled.
part 15 second-start $K $CHECK

# Does dfdx make a device, are addresses what they are taken for, does NVRTC compile, do values and gradients agree: every test of the card, on the card.
export KDPIPE_TEST_REAL_CARD=1
UNIT="env LD_LIBRARY_PATH=$LIBS $T/unit"
part 100 ops bash -c '"${@:2}" ops::cuda --skip planted --test-threads=1 2>&1 | tee "$1"; exit ${PIPESTATUS[0]}' - "$T/ops.log" $UNIT || {
    # A fault of the card ends a process, and hides what comes after it: each again by itself.
    for test in $(sed -nE 's/^test ([^ ]+) \.\.\. *(FAILED)?$/\1/p' "$T/ops.log" 2> /dev/null | head -8); do
        part 15 "again-$test" $UNIT "$test" --exact --nocapture
    done
}

# The smoke study, critics and all: on the card, again from nothing, and on the processor.
SMOKE="$K -q run pipelines/smoke.toml"
part 60 smoke-gpu $SMOKE --results "$T/gpu" $GPU
part 60 smoke-gpu-again env KDPIPE_CACHE="$T/cache2" $SMOKE --results "$T/again" $GPU
part 20 same-bits $K diff --bytes "$T/gpu/smoke" "$T/again/smoke"
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
        # Each side has trained a teacher of its own, and only the arm lm asks it nothing.
        bound = 1e-3 if dict(at).get('arm') == 'lm' else 2e-2
        first = max(abs(p - q) / abs(p) for p, q in list(zip(steps(a[at]), steps(b[at])))[:10])
        bad |= first > bound
        print(f'  the first ten losses within {first:.1e}, where {bound:.0e} is allowed')
sys.exit(bad)
PY

B="bench tests/bench/large.toml --json --set train.batch=16 $GPU"; BF16="--set train.precision=bf16 --set teacher.precision=bf16"
[ -z "$WARM" ] || { wait "$WARM"; echo "PyTorch had compiled by $SECONDS s (rc $?)"; tail -n 3 "$R/peer-compiles.log"; }
measure 60 bench-bf16 $K $B $BF16 --steps 100
# Where the time of a step goes, kernel by kernel: some 900 a step, and the window begins behind the warm-up.
NCU=$(command -v ncu || ls /usr/local/cuda*/bin/ncu /opt/nvidia/nsight-compute/*/ncu 2> /dev/null | head -1)
[ -z "$NCU" ] || part 90 kernels env LD_LIBRARY_PATH="$LIBS" "$NCU" --clock-control none --cache-control none --metrics gpu__time_duration.sum --print-units base --csv --log-file "$R/kernels.csv" \
    --launch-skip 2000 --launch-count 2400 "$T/kdpipe" $B $BF16 --steps 3
nvidia-smi --query-gpu=memory.used,utilization.gpu,clocks.sm --format=csv,noheader -lms 500 > "$OUT/gpu.csv" 2> /dev/null & WATCH=$!
measure 90 bench-bf16-nine $K $B $BF16 --runs 9 --steps 10
kill $WATCH 2> /dev/null
measure 150 peer-bf16-compile $PEER --bf16 --compile --steps 100
measure 50 bench-tf32 $K $B --steps 100 --set train.precision=tf32 --set teacher.precision=tf32
measure 50 bench-f32 $K $B --steps 10
measure 60 bench-critics $K $B $BF16 --steps 20 --set loss.hidden.kind=hidden.wasserstein --set loss.hidden.critic.steps=5
measure 40 peer-tf32 $PEER --tf32 --steps 100
# Memory and races, kernel by kernel.
SEEN="ops::cuda::cuda_tests::l ops::cuda::logits ops::cuda::critic_tests::the_term ops::cuda::decoding_tests"
for tool in memcheck racecheck; do
    command -v compute-sanitizer > /dev/null && part 60 $tool env LD_LIBRARY_PATH="$LIBS" compute-sanitizer --tool $tool --error-exitcode 9 "$T/unit" $SEEN --test-threads=1 -q
done

python3 - "$R" "$OUT" <<'PY'
import csv, io, json, math, pathlib, re, sys
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
lines += ['', '| bar of an H100 | found | |', '| --- | ---: | --- |',
    bar('tokens/s in bf16', speed(one), 300_000, True), bar('of the PyTorch peer in bf16', ratio(speed(one), speed(peer)), 1.3, True, '{:.2f}'),
    bar('tokens/s in tf32', speed(tf32), 180_000, True), bar('nine together, of nine alone', ratio(step(nine), step(one) and 9 * step(one)), 0.75, False, '{:.2f}'),
    bar('memory of nine, GB', nine and nine.get('peak_card_bytes') and nine['peak_card_bytes'] / 1e9, 24, False, '{:.1f}'),
    bar('minutes of 27 runs of 5000 steps, by nine, without evaluation', step(nine) and 3 * 5000 * step(nine) / 60, 60, False, '{:.0f}')]
def kernels_of_a_step():
    """Name and microseconds of every kernel from one embedding of a step's tokens to the next but one: the teacher's, the student's, the next step's. Validation embeds fewer tokens."""
    try:
        text = (out / 'kernels.csv').read_text()
    except OSError:
        return []
    units = {'ns': 1e-3, 'nsecond': 1e-3, 'us': 1, 'usecond': 1, 'ms': 1e3, 'msecond': 1e3, 's': 1e6, 'second': 1e6}
    seen = []
    for row in csv.DictReader(io.StringIO(text[max(text.find('"ID"'), 0):])):
        if row.get('Metric Name') == 'gpu__time_duration.sum' and row.get('Metric Unit') in units:
            blocks = math.prod(map(int, re.findall(r'\d+', row['Grid Size'])))
            seen.append((row['Kernel Name'], blocks, float(row['Metric Value'].replace(',', '')) * units[row['Metric Unit']]))
    marks = [(i, blocks) for i, (name, blocks, _) in enumerate(seen) if name.startswith('embed_forward')]
    largest = max((blocks for _, blocks in marks), default=0)
    for (a, x), (_, y), (b, z) in zip(marks, marks[1:], marks[2:]):
        if x == y == z == largest:
            return [(name, time) for name, _, time in seen[a:b]]
    return []
step_kernels = kernels_of_a_step()
by_name = {}
for name, time in step_kernels:
    count, sum_of = by_name.get(name, (0, 0.0))
    by_name[name] = (count + 1, sum_of + time)
if by_name:
    total = sum(time for _, time in step_kernels)
    lines += ['', f'The kernels of a step in bf16: {len(step_kernels)} in {total / 1e3:.2f} ms, without what lies between them.', '', '| kernel | launches | µs | share |', '| --- | ---: | ---: | ---: |']
    for name, (count, time) in sorted(by_name.items(), key=lambda item: -item[1][1])[:40]:
        lines.append(f'| `{name[:90]}` | {count} | {time:.0f} | {time / total:.1%} |')
(told / 'summary.md').write_text('\n'.join(lines) + '\n')
print('\n'.join(lines))
PY
tar cf "$OUT/parts.tar" -C "$T" parts
echo "failed:${FAILED:- none}"; rm -rf "$T"; [ -z "$FAILED" ]
