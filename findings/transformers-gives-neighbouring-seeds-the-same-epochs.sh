#!/bin/sh
# transformers 5.24.0 (PyPI, Python 3.11) with accelerate 1.15.0 and torch 2.15.0: the order in
# which Trainer reads the data in an epoch is drawn from one number, seed + epoch. Seed 1 begins
# with what seed 0 reads second, and so on: five seeds of three epochs are not fifteen orders but
# seven, and of two neighbours two epochs of three are the same, batch for batch. `data_seed` does
# the same.
#
# Guessed beforehand: every seed has orders of its own, as it has weights and dropout of its own.
# Why it matters: 0, 1, 2, 3, 4 are the seeds that everybody takes, and intervals over seeds take
# them for independent. What a student owes to the order of its data is counted as often as it is
# shared, so seeds are more alike than they seem, the more so the more epochs there are. Seeds
# that lie further apart than there are epochs (0, 100, 200) share nothing.
# What it means here: a run of kdpipe draws an epoch's order from seed, purpose and epoch, mixed
# by a hash (src/random.rs): no seed has an epoch of another.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "transformers==5.24.0" "torch==2.15.0" "numpy==2.4.6" \
    "accelerate==1.15.0"
HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON' 2>/dev/null
import contextlib, io, sys
import accelerate
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

TEXTS, EPOCHS = 12, 3
data = [{"input_ids": torch.full((8,), i), "labels": torch.full((8,), i)} for i in range(TEXTS)]
config = GPT2Config(vocab_size=TEXTS, n_positions=8, n_embd=16, n_layer=1, n_head=2,
                    bos_token_id=0, eos_token_id=0)

class Watched(Trainer):
    def training_step(self, model, inputs, *more, **named):
        self.seen.extend(inputs["input_ids"][:, 0].tolist())
        return super().training_step(model, inputs, *more, **named)

def orders(**seeds):
    arguments = TrainingArguments(
        output_dir=sys.argv[1], num_train_epochs=EPOCHS, per_device_train_batch_size=3,
        use_cpu=True, report_to=[], save_strategy="no", disable_tqdm=True, **seeds)
    torch.manual_seed(arguments.seed)
    trainer = Watched(model=GPT2LMHeadModel(config), args=arguments, train_dataset=data)
    trainer.seen = []
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.train()
    return [tuple(trainer.seen[i * TEXTS : (i + 1) * TEXTS]) for i in range(EPOCHS)]

found = {seed: orders(seed=seed) for seed in range(5)}
apart = {seed: orders(seed=seed) for seed in range(0, 500, 100)}
by_data = [orders(seed=7, data_seed=seed) for seed in (0, 1)]
print("transformers", transformers.__version__, "accelerate", accelerate.__version__)
names = {}
for seed, epochs in found.items():
    letters = [names.setdefault(epoch, chr(ord("A") + len(names))) for epoch in epochs]
    print(f"seed {seed}: epochs {', '.join(letters)}   (the first: {epochs[0]})")
print("orders of seeds 0 to 4, three epochs each:", len(names))
print("of seeds 0, 100, 200, 300, 400:", len({epoch for one in apart.values() for epoch in one}))
for seed in range(4):
    assert found[seed][1:] == found[seed + 1][:-1], found
assert len(names) == 7, names
assert len({epoch for one in apart.values() for epoch in one}) == 15, apart
assert by_data == [found[0], found[1]], by_data
PYTHON
echo "as described"
