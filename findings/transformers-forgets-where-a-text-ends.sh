#!/bin/sh
# transformers 5.24.0 (PyPI, Python 3.11) with torch 2.15.0: config.json of a GPT-2 says at which token
# a text ends (eos_token_id), and generate stops there. Put a generation_config.json beside it that says
# something else, a temperature, and nothing of the end: the end is forgotten, and the same model with
# the same config.json writes on behind its own end of text until it is stopped by max_new_tokens.
#
# What one would expect: what the newer file does not say is taken from the older one, as it is when the
# file is not there.
# What it means here: kdpipe stops at the end that the tokenizer or config.json names wherever
# generation_config.json names none, and a student keeps its teacher's file whole.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "transformers==5.24.0" "torch==2.15.0" "numpy==2.4.6"
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON' 2>/dev/null
import json, pathlib, sys
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

END = 7
root = pathlib.Path(sys.argv[1]) / "model"
config = GPT2Config(vocab_size=16, n_positions=32, n_embd=8, n_layer=1, n_head=2, bos_token_id=END, eos_token_id=END)
torch.manual_seed(0)
model = GPT2LMHeadModel(config)
with torch.no_grad():
    # Whatever stands before: the end of text follows.
    model.transformer.ln_f.weight.zero_()
    model.transformer.ln_f.bias.copy_(10 * model.transformer.wte.weight[END])
model.save_pretrained(root)

def new_tokens(generation):
    file = root / "generation_config.json"
    file.unlink(missing_ok=True)
    if generation is not None:
        file.write_text(json.dumps(generation))
    read = GPT2LMHeadModel.from_pretrained(root)
    written = read.generate(torch.tensor([[1, 2]]), max_new_tokens=10, do_sample=False, pad_token_id=END)
    return read.config.eos_token_id, read.generation_config.eos_token_id, written[0, 2:].tolist()

without, beside = new_tokens(None), new_tokens({"temperature": 0.7})
print("transformers", transformers.__version__, "torch", torch.__version__)
print("eos of config.json, eos that generate knows, new tokens")
print("no generation_config.json:   ", *without)
print('{"temperature": 0.7} beside: ', *beside)
assert without == (END, END, [END]), without
assert beside == (END, None, [END] * 10), beside
PYTHON
echo "as described"
