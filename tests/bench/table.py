"""Every figure of README.md, measured in one go on one machine: kdpipe and its PyTorch peer in turn.

    python table.py [words ...] [--kdpipe target/release/kdpipe] [--rounds N] [--text FILE] [--sizes ...] [--peers ...]

`words` choose parts: steps, group, threads, context, tokens, corpus; all without them. Needs what peer.py needs. `--text` is a file that the growing corpora repeat.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
STEPS = {"small": 12, "wasserstein": 10, "large": 2}
PEERS = {"eager": [], "compile": ["--compile"], "bf16": ["--bf16"], "compile bf16": ["--compile", "--bf16"]}
# What PyTorch's autocast is compared with.
BF16 = ["--set", "train.precision=bf16", "--set", "teacher.precision=bf16"]


def ours(kdpipe, size, *flags, steps=None):
    command = [kdpipe, "bench", HERE / f"{size}.toml", "--json", "--steps", str(steps or STEPS[size]), *flags]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def peer(size, *flags):
    command = [sys.executable, HERE / "peer.py", size, "--steps", str(STEPS[size]), *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def middle(rows, key="seconds_per_step"):
    return statistics.median(row[key] for row in rows)


def measured(command):
    """Seconds and peak memory of a command."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.monotonic() - started, usage.ru_maxrss / 1024


def steps(options):
    print("| step | kdpipe | PyTorch | ratio | tokens/s | of the plain product | memory: kdpipe, PyTorch |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    shares = {}
    for size in options.sizes:
        for name in options.peers:
            flags = PEERS[name]
            own = BF16 if "--bf16" in flags else []
            mine, others = [], []
            for _ in range(1 if "--compile" in flags else options.rounds):
                mine.append(ours(options.kdpipe, size, *own))
                others.append(peer(size, *flags))
            if None in others:
                print(f"| {size}, {name} | | not run here | | | | |")
                continue
            first, second = middle(mine), middle(others)
            product = statistics.median(row["gflops"] / row["matmul_peak_gflops"] for row in mine)
            memory = middle(mine, "peak_rss_bytes") / 1e9, middle(others, "peak_rss_bytes") / 1e9
            print(f"| {size}, {name} | {1e3 * first:.0f} ms | {1e3 * second:.0f} ms | {second / first:.2f} | {middle(mine, 'tokens_per_second'):.0f} "
                  f"| {100 * product:.0f} % | {memory[0]:.2f}, {memory[1]:.2f} GB |", flush=True)
            whole = sum(phase["seconds"] for phase in mine[-1]["phases"])
            key = f"{size}, {name}"
            shares[key] = ", ".join(f"{phase['name']} {100 * phase['seconds'] / whole:.0f} %" for phase in mine[-1]["phases"] if phase["seconds"] > 0)
            use = mine[-1]["use"]
            shares[key] += (f"; scoring {use['scored_tokens_per_second']:.0f} tokens/s, {100 * use['scoring_gflops'] / use['matmul_peak_gflops']:.0f} % of the plain product"
                            f"; decoding {use['decoded_tokens_per_second']:.0f} tokens/s, {100 * use['decoding_bytes_per_second'] / use['memory_bytes_per_second']:.0f} % of the memory's bandwidth")
    for key, share in shares.items():
        print(f"- {key}: {share}")


def group(options):
    together, alone = [], []
    for _ in range(options.rounds):
        together.append(ours(options.kdpipe, "small", "--runs", "8"))
        alone.append(peer("small"))
    print(f"eight runs together: {1e3 * middle(together):.0f} ms, eight PyTorch steps: {8e3 * middle(alone):.0f} ms, share {middle(together) / 8 / middle(alone):.2f}")


def threads(options):
    rows = {count: [ours(options.kdpipe, "small", "--threads", str(count)) for _ in range(options.rounds)] for count in (1, 2)}
    step = middle(rows[1]) / middle(rows[2])
    product = max(row["matmul_peak_gflops"] for row in rows[2]) / max(row["matmul_peak_gflops"] for row in rows[1])
    print(f"one thread to two: the step {step:.2f} times as fast, a plain product {product:.2f}")


def context(options):
    for length in (128, 256, 512, 1024):
        keys = {"teacher.train.context": 1024, "train.context": length, "train.batch": 1024 // length, "evaluate.context": length, "evaluate.stride": length}
        row = ours(options.kdpipe, "small", *[part for key, value in keys.items() for part in ("--set", f"{key}={value}")])
        print(f"context {length}: {1e3 * row['seconds_per_step']:.0f} ms, {row['peak_rss_bytes'] / 1e6:.0f} MB")


def study(options, folder, size):
    """The command that runs a small study on so many megabytes of the text, in a folder with a cache of its own."""
    text = pathlib.Path(options.text).read_bytes()
    (folder / "text.txt").write_bytes((text * (size * 1_000_000 // len(text) + 1))[: size * 1_000_000].rsplit(b"\n", 1)[0])
    (folder / "held.txt").write_bytes(text[:20_000].rsplit(b"\n", 1)[0])
    (folder / "study.toml").write_text(
        f'extends = "{HERE}/small.toml"\n'
        '[dataset]\nsource = "text"\ntrain = ["text.txt"]\nvalidation = ["held.txt"]\ntest = ["held.txt"]\n'
        "[teacher.train]\nsteps = 2\n[train]\nsteps = 20\n[evaluate]\nprobe_tokens = 256\nembed_tokens = 0\n"
    )
    os.environ["KDPIPE_CACHE"] = str(folder / "cache")
    return [options.kdpipe, "run", folder / "study.toml", "--results", folder / "results", "-q"]


def tokens(options):
    """One core: what a study takes longer where its tokens are not known yet, against the tokenizers library on the same text with the same tokenizer, both from and to files.

    The library gets the text in short pieces, which it is fastest with."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run = study(options, folder, 10)
        measured(run)
        tokenizer = next((folder / "results").glob("*/runs/*/student/tokenizer.json"))
        run += ["--threads", "1", "--set", "tokenizer.source=dir", "--set", f"tokenizer.path={tokenizer.parent}"]
        # Trains the teacher, which the others then have.
        measured(run)
        # Its tokens are to be made again, and nothing else.
        shutil.rmtree(folder / "cache" / "corpora")
        unknown, known = measured([*run, "--set", "seed=1"])[0], measured([*run, "--set", "seed=2"])[0]
        script = (
            "import sys, time, numpy, tokenizers\n"
            "started = time.monotonic()\n"
            "lines = open(sys.argv[2], encoding='utf-8').read().splitlines(keepends=True)\n"
            "pieces = [''.join(lines[i:i + 20]) for i in range(0, len(lines), 20)]\n"
            "tokens = [t for e in tokenizers.Tokenizer.from_file(sys.argv[1]).encode_batch(pieces, add_special_tokens=False) for t in e.ids]\n"
            "numpy.array(tokens, dtype=numpy.uint16).tofile(sys.argv[3])\n"
            "print(time.monotonic() - started)\n"
        )
        environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
        command = [sys.executable, "-c", script, tokenizer, folder / "text.txt", folder / "tokens"]
        library = float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
        print(f"tokenizing 10 MB on one core: {unknown - known:.1f} s, the tokenizers library {library:.1f} s", flush=True)


def corpus(options):
    for size in (1, 10, 100):
        with tempfile.TemporaryDirectory() as folder:
            run = study(options, pathlib.Path(folder), size)
            first, second = measured(run), measured([*run, "--set", "seed=1"])
            print(f"corpus of {size} MB: {first[0]:.1f} s and {first[1]:.0f} MB at first, {second[0]:.1f} s and {second[1]:.0f} MB when its tokens are known", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--kdpipe", default=str(HERE.parent.parent / "target/release/kdpipe"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text")
    parser.add_argument("--sizes", nargs="+", choices=STEPS, default=list(STEPS))
    # Without the instructions of bfloat16 PyTorch takes minutes for a step in it.
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=["eager", "compile"])
    options = parser.parse_args()
    for part in (steps, group, threads, context, tokens, corpus):
        if (not options.parts or part.__name__ in options.parts) and (part not in (tokens, corpus) or options.text):
            part(options)


if __name__ == "__main__":
    main()
