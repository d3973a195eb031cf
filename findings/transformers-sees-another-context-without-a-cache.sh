#!/bin/sh
# transformers 5.24.0 (PyPI, Python 3.11) with torch 2.15.0: which tokens a GPT-2 attends to
# depends on whether it keeps keys and values, which a single pass has no use for. Where positions
# are given and no mask, and no cache is kept, every position that is not the one before plus 1
# begins a text of its own, whose tokens do not see what is before. With a cache, which is the
# default, positions choose rows of the position embeddings and nothing else. Training with
# gradient checkpointing turns the cache off, and eval() of the same model has it on again. Where
# positions go up by 2 every token sees itself alone.
#
# Guessed beforehand: use_cache and gradient checkpointing cost time and memory and change no
# logits.
# Why it matters: a student that is trained with checkpointing on packed texts sees each text by
# itself, while its teacher in the same step, and its own evaluation, see all texts before: the
# same ids, positions and weights, and another loss. Every second position, given to a student of
# half as many, takes its attention away. A mask of ones makes all of them agree.
# What it means here: kdpipe's windows begin at position 0 and go up by 1, and the scripts that it
# is held against give no positions; whoever packs texts for a peer gives the mask as well.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "transformers==5.24.0" "torch==2.15.0" "numpy==2.4.6"
HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 "$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

LENGTH = 16
config = GPT2Config(vocab_size=50, n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=0,
                    eos_token_id=0, initializer_range=0.3, attn_pdrop=0.0, embd_pdrop=0.0,
                    resid_pdrop=0.0)
torch.manual_seed(0)
model = GPT2LMHeadModel(config)
tokens = torch.randint(1, 50, (1, LENGTH))
other = tokens.clone()
other[0, 0] = 0
mask = torch.ones_like(tokens)
POSITIONS = {
    "0, 1, 2, ...": torch.arange(LENGTH),
    "two texts of 8": torch.arange(LENGTH) % 8,
    "0, 2, 4, ...": 2 * torch.arange(LENGTH),
}

def run(ids, is_trained, checkpointing, more, positions):
    model.train(is_trained)
    if checkpointing:
        model.gradient_checkpointing_enable()
    else:
        model.gradient_checkpointing_disable()
    return model(ids, position_ids=positions[None], labels=ids, **more)

WAYS = {
    "eval()": (False, False, {}),
    "eval(), use_cache=False": (False, False, {"use_cache": False}),
    "train()": (True, False, {}),
    "train(), checkpointing": (True, True, {}),
    "eval(), checkpointing": (False, True, {}),
    "train(), checkpointing, mask": (True, True, {"attention_mask": mask}),
}

print("transformers", transformers.__version__, "torch", torch.__version__)
print("loss, and whether the last token sees the first")
found = {}
for name, positions in POSITIONS.items():
    for way, settings in WAYS.items():
        here = run(tokens, *settings, positions)
        there = run(other, *settings, positions)
        sees = not torch.equal(here.logits[0, -1], there.logits[0, -1])
        found[name, way] = round(here.loss.item(), 4), sees
        print(f"{name:15} {way:29} {found[name, way][0]:.4f} {'yes' if sees else 'no'}")
UNSEEN = ("eval(), use_cache=False", "train(), checkpointing")
for name in POSITIONS:
    usual = found[name, "eval()"]
    for way in WAYS:
        loss, sees = found[name, way]
        if name == "0, 1, 2, ..." or way not in UNSEEN:
            assert sees and abs(loss - usual[0]) < 2e-4, (name, way, found)
        else:
            assert not sees and abs(loss - usual[0]) > 0.01, (name, way, found)
PYTHON
echo "as described"
