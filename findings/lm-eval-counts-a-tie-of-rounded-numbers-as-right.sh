#!/bin/sh
# lm-eval 0.4.13 (PyPI, Python 3.11) with transformers 5.24.0 and torch 2.15.0: of a model that is
# stored in bfloat16 the harness takes the logarithms of the probabilities in bfloat16 too, so two
# texts often have the very same likelihood, and of equal ones the first is the answer. Minimal
# pairs as its own task for BLiMP has them name the right text first. A student that has learned
# nothing is right in half of the pairs when it is asked in float32, and in three quarters as it
# is stored; with the wrong text named first, in a quarter. Where its predictions are as sharp as
# a trained model's, some points are left of it.
#
# Guessed beforehand: bfloat16 moves an accuracy by a point either way, and the order of the two
# texts by nothing.
# Why it matters: accuracies then compare how sharp two models are. A student in bfloat16 beats
# the same student in float32, and the flatter its predictions are, the more.
# What it means here: kdpipe asks in f32 whatever a model was stored in, and a pair counts as
# right only where the right text is the likelier one. To be compared with it the harness is given
# dtype=float32, or softmax_dtype=float32, which is enough.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "lm-eval==0.4.13" "transformers==5.24.0" "torch==2.15.0" \
    "numpy==2.4.6" "accelerate==1.15.0" "datasets==5.2.0" "tokenizers==0.23.3"
export HF_HOME="$folder/home" HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1
"$folder/venv/bin/python" - "$folder" <<'PYTHON' 2>/dev/null
import contextlib, io, json, pathlib, random, sys
from importlib.metadata import version
import lm_eval
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

PAIRS, END, LETTERS = 300, "<|endoftext|>", "abcdefghijklmnopqrstuvwxyz"
root = pathlib.Path(sys.argv[1])
draws = random.Random(0)
with open(root / "pairs.jsonl", "w") as file:
    for _ in range(PAIRS):
        begin = "".join(draws.choice(LETTERS) for _ in range(12))
        good, bad = (begin + end for end in draws.sample(LETTERS, 2))
        file.write(json.dumps({"sentence_good": good, "sentence_bad": bad}) + "\n")
# The keys of the harness's own task for BLiMP; "bad" names the other text first.
for name, choices, right in (("good", "sentence_good, sentence_bad", 0),
                             ("bad", "sentence_bad, sentence_good", 1)):
    lines = [f"task: {name}_first", "dataset_path: json", "dataset_kwargs:",
             f"  data_files: {root}/pairs.jsonl", "output_type: multiple_choice",
             "validation_split: train", 'doc_to_text: ""', f"doc_to_target: {right}",
             f'doc_to_choice: "{{{{[{choices}]}}}}"', "num_fewshot: 0", "metric_list:",
             "  - metric: acc", "    aggregation: mean", "    higher_is_better: true"]
    (root / f"{name}.yaml").write_text("\n".join(lines) + "\n")

letters = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {letter: number for number, letter in enumerate([*letters, END])}
plain = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, bos_token=END, eos_token=END)
tasks = TaskManager(include_path=str(root))

def accuracies(spread, **more):
    config = GPT2Config(vocab_size=len(vocabulary), n_positions=64, n_embd=64, n_layer=2,
                        n_head=2, bos_token_id=256, eos_token_id=256, initializer_range=spread)
    torch.manual_seed(0)
    GPT2LMHeadModel(config).to(torch.bfloat16).save_pretrained(root / "student")
    tokenizer.save_pretrained(root / "student")
    with contextlib.redirect_stdout(io.StringIO()):
        asked = HFLM(pretrained=str(root / "student"), batch_size=20, device="cpu", **more)
        found = lm_eval.simple_evaluate(asked, tasks=["good_first", "bad_first"],
                                        task_manager=tasks, bootstrap_iters=0)
    return [found["results"][name]["acc,none"] for name in ("good_first", "bad_first")]

print("lm-eval", version("lm-eval"), "torch", torch.__version__)
print("share of", PAIRS, "pairs that is right: right text named first, wrong text named first")
WAYS = {"as stored": {}, "dtype": {"dtype": "float32"},
        "softmax_dtype": {"softmax_dtype": "float32"}}
found = {}
for name, spread in (("untrained", 0.02), ("sharp", 0.3)):
    for way, more in WAYS.items():
        found[name, way] = accuracies(spread, **more)
        print(f"{name:10} {way:14} {found[name, way][0]:.3f} {found[name, way][1]:.3f}")
for name in ("untrained", "sharp"):
    for way in ("dtype", "softmax_dtype"):
        good, bad = found[name, way]
        assert abs(good - bad) < 0.01 and abs(good - 0.5) < 0.1, found
good, bad = found["untrained", "as stored"]
assert good > 0.65 and bad < 0.35, found
good, bad = found["sharp", "as stored"]
assert good - bad > 0.02, found
PYTHON
echo "as described"
