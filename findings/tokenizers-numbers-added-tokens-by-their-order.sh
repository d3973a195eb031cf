#!/bin/sh
# tokenizers 0.23.3 (PyPI, Python 3.11): a tokenizer.json gives every added token its id. Where the
# list is not in the order of the ids, the library numbers the tokens by their place in the list and
# keeps quiet: two tokens behind the vocabulary change places, in a file whose every line still
# names the other id. A model then looks up the wrong rows of its embedding.
#
# Guessed beforehand: the ids of the file count, as they do for the vocabulary, or loading fails.
# What it means here: kdpipe gives such a file the ids that the library gives, and another hash
# than that of its bytes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "tokenizers==0.23.3"
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - <<'PYTHON'
import json
import tokenizers
from tokenizers import Tokenizer, models

plain = json.loads(Tokenizer(models.BPE(vocab={"a": 0, "b": 1}, merges=[])).to_str())

def added(content, number):
    return {"id": number, "content": content, "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": False, "special": True}

def ids(order):
    plain["added_tokens"] = [added(f"<{number}>", number) for number in order]
    read = Tokenizer.from_str(json.dumps(plain))
    return {f"<{number}>": read.token_to_id(f"<{number}>") for number in sorted(order)}

print("tokenizers", tokenizers.__version__)
print("listed as 2, 3:", ids([2, 3]))
print("listed as 3, 2:", ids([3, 2]))
assert ids([2, 3]) == {"<2>": 2, "<3>": 3}
assert ids([3, 2]) == {"<2>": 3, "<3>": 2}
PYTHON
echo "as described"
