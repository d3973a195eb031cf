#!/bin/sh
# transformers 5.24.0 (PyPI, Python 3.11) with gguf 0.19.0, accelerate 1.15.0 and torch 2.15.0: a GGUF file of a
# GPT-2 says how many positions it has (gpt2.context_length). from_pretrained(folder, gguf_file=...) writes that
# number to `n_ctx`, which GPT2Config no longer looks at, and leaves n_positions at 1024. A file of 1024
# positions loads, with the logits that it was written with; the same model with 64 does not: the position
# embeddings of the file "mismatch" those of a model with 1024, and loading ends with a RuntimeError. A model
# with more positions than 1024 ends the same way.
#
# What one would expect: context_length is n_positions, as it is max_position_embeddings for most other
# architectures. With config=GPT2Config(n_positions=64, ...) handed over the very same file loads.
# What it means here: a student that `kdpipe export --gguf` writes is read by llama.cpp and by gguf's own reader,
# but by transformers' GGUF reader only if it has 1024 positions; the safetensors beside it are what
# transformers is meant to read.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "transformers==5.24.0" "torch==2.15.0" "numpy==2.4.6" "gguf==0.19.0" "accelerate==1.15.0"
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON' 2>/dev/null
import pathlib, sys
import gguf
import numpy
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

root = pathlib.Path(sys.argv[1])
tokens = torch.tensor([[1, 2, 3]])

def config(positions):
    return GPT2Config(vocab_size=16, n_positions=positions, n_embd=8, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)

def write(folder, positions):
    """A model with random weights as GGUF, by the gguf package alone."""
    torch.manual_seed(0)
    model = GPT2LMHeadModel(config(positions)).eval()
    out = gguf.GGUFWriter(folder / "model.gguf", "gpt2")
    out.add_name("random")
    out.add_context_length(positions)
    out.add_embedding_length(8)
    out.add_block_count(1)
    out.add_feed_forward_length(32)
    out.add_head_count(2)
    out.add_layer_norm_eps(1e-5)
    out.add_file_type(gguf.LlamaFileType.ALL_F32)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list([chr(ord("a") + i) for i in range(16)])
    out.add_token_types([1] * 16)
    out.add_token_merges([])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, 1)
    for name, values in model.state_dict().items():
        # Linear layers of GPT-2 are stored the other way round.
        is_linear = name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight"))
        values = (values.T if is_linear else values).numpy()
        out.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), numpy.ascontiguousarray(values))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return model

def read(positions, **more):
    folder = root / str(positions)
    folder.mkdir(exist_ok=True)
    written = write(folder, positions)
    stored = gguf.GGUFReader(folder / "model.gguf").fields["gpt2.context_length"].contents()
    assert stored == positions, stored
    try:
        model = GPT2LMHeadModel.from_pretrained(folder, gguf_file="model.gguf", **more).eval()
    except RuntimeError as error:
        return type(error).__name__
    same = torch.allclose(model(tokens).logits, written(tokens).logits, atol=1e-6)
    return f"n_positions {model.config.n_positions}, " + ("the same logits" if same else "other logits")

print("transformers", transformers.__version__, "torch", torch.__version__)
seen = {
    "context_length 1024": read(1024),
    "context_length 64": read(64),
    "context_length 2048": read(2048),
    "context_length 64, with config=": read(64, config=config(64)),
}
for file, result in seen.items():
    print(f"{file}: {result}")
assert list(seen.values()) == [
    "n_positions 1024, the same logits",
    "RuntimeError",
    "RuntimeError",
    "n_positions 64, the same logits",
], seen
PYTHON
echo "as described"
