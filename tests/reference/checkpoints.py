"""Writes `checkpoints/`: small GPT-2 folders as transformers saves them, of every kind that is read, and beside each what transformers computes with it.

`NAME/` is the folder, `NAME.safetensors` and `NAME.json` the values: in float64 from the weights as stored, as make.py does it, with the distance of float32 recorded.

    python checkpoints.py [FOLDER]
"""

import json
import math
import pathlib
import shutil
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

from definitions import forward, generator, normal
from make import record_step, write

VOCABULARY, POSITIONS = 61, 12  # the vocabulary of definitions.py
BATCH, CONTEXT, PROMPT = 2, 8, 3
GAP = 1e-2  # smallest lead of a greedy choice, so that rounding never decides

# Name → what differs from a plain GPT-2, and how it is stored.
CASES = {
    "one-layer": ({"n_layer": 1, "n_embd": 6, "n_head": 1}, {"bare": True}),
    "odd-width": ({"n_layer": 3, "n_embd": 15, "n_head": 3, "layer_norm_epsilon": 1e-3, "activation_function": "gelu"}, {"buffers": True}),
    "inner": ({"n_layer": 2, "n_embd": 10, "n_head": 2, "n_inner": 7, "activation_function": "relu"}, {}),
    "untied": ({"n_layer": 2, "n_embd": 8, "n_head": 2, "tie_word_embeddings": False, "activation_function": "gelu_pytorch_tanh"}, {}),
    "by-layer": (
        {"n_layer": 3, "n_embd": 12, "n_head": 2, "scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True, "activation_function": "quick_gelu"},
        {"dtype": torch.float16},
    ),
    "unscaled": ({"n_layer": 2, "n_embd": 12, "n_head": 3, "scale_attn_weights": False, "activation_function": "silu"}, {"dtype": torch.bfloat16}),
    "shards": (
        {"n_layer": 2, "n_embd": 9, "n_head": 3, "n_inner": 20, "tie_word_embeddings": False, "scale_attn_by_inverse_layer_idx": True, "activation_function": "tanh"},
        {"shard": "4KB", "buffers": True},
    ),
    "fast": ({"n_layer": 1, "n_embd": 9, "n_head": 3, "activation_function": "gelu_fast"}, {"dtype": torch.bfloat16, "shard": "1KB"}),
}


def parameters(model):
    """Every parameter under the name of the files without `transformer.`; a tied head is `wte.weight`."""
    found = dict(model.transformer.named_parameters())
    return found if model.config.tie_word_embeddings else {**found, "lm_head.weight": model.lm_head.weight}


def build(changes, seed):
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=POSITIONS, use_cache=False, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0,
        **changes,
    )
    model = GPT2LMHeadModel(config)
    random = generator(seed)
    with torch.no_grad():
        for key, parameter in parameters(model).items():
            noise = normal(random, *parameter.shape)
            if "ln_" in key:
                parameter.copy_(1.0 + 0.2 * noise if key.endswith("weight") else 0.1 * noise)
            elif key.endswith("bias"):
                parameter.copy_(0.1 * noise)
            else:
                parameter.copy_((0.5 if key[0] in "wl" else 1.0 / math.sqrt(parameter.shape[0])) * noise)
    return model.eval()


def store(model, folder, dtype=torch.float32, shard="1GB", bare=False, buffers=False):
    """Saves with transformers; `bare` leaves out the prefix, `buffers` adds the masks that versions before 4.30 stored."""
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink(missing_ok=True)
    for file in folder.glob("*.safetensors"):
        arrays = load_file(file)
        if bare:
            arrays = {key.removeprefix("transformer."): array for key, array in arrays.items()}
        for key in [key for key in arrays if buffers and key.endswith("attn.c_attn.weight")]:
            block = key.removesuffix("c_attn.weight")
            arrays[f"{block}bias"] = torch.tril(torch.ones(POSITIONS, POSITIONS, dtype=torch.bool)).view(1, 1, POSITIONS, POSITIONS)
            arrays[f"{block}masked_bias"] = torch.tensor(-1e4)
        save_file(arrays, file, metadata={"format": "pt"})


def load(folder, dtype):
    """The model of a folder at a precision. `reorder_and_upcast_attn` computes attention in float32 whatever the precision, so it is only left on there: float32's distance from float64 then
    says that it is the same mathematics."""
    model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").to(dtype).eval()
    for block in model.transformer.h:
        block.attn.reorder_and_upcast_attn &= dtype == torch.float32
    return model


def greedy(model, prompt):
    """The continuation up to the last position, or nothing where a choice is too close."""
    tokens = list(prompt)
    while len(tokens) < POSITIONS:
        best = forward(model, torch.tensor([tokens]))[0][0, -1].topk(2).values
        if best[0] - best[1] < GAP:
            return None
        given = torch.tensor([tokens])
        # Without a mask, transformers would take tokens of the id of padding for padding.
        chosen = model.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=1, do_sample=False, eos_token_id=None, pad_token_id=0)
        tokens.append(int(chosen[0, -1]))
    return tokens[len(prompt):]


def make_case(folder, tokens, continuation):
    inputs, targets = tokens[:, :-1], tokens[:, 1:]

    def make(record, dtype):
        model = load(folder, dtype)
        record_step(record, model, parameters(model), inputs, targets)

    return make, {"context": CONTEXT, "prompt": tokens[0, :PROMPT].tolist(), "continuation": continuation}


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent) / "checkpoints"
    root.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for number, (name, (changes, how)) in enumerate(CASES.items()):
        folder = root / name
        for seed in range(100 * number, 100 * number + 100):
            store(build(changes, seed), folder, **how)
            tokens = torch.randint(0, VOCABULARY, (BATCH, CONTEXT + 1), generator=generator(seed + 50_000))
            continuation = greedy(load(folder, torch.float64), tokens[0, :PROMPT].tolist())
            if continuation and len(set(continuation)) > 2:
                break
        make, settings = make_case(folder, tokens, continuation)
        write(root, name, make, settings)
        config = json.loads((folder / "config.json").read_text())
        config.pop("transformers_version", None)
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
