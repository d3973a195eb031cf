"""Writes `newer.json`: tokenizer.json in the form of tokenizers 1.0 ("version": "2.0"), as that library makes it of an older one, and the ids that it gives.

    python newer.py [FILE]

It needs a folder with tokenizers 1.0 (`pip install --no-deps --target FOLDER tokenizers==1.0.0rc3 && PYTHONPATH=FOLDER python newer.py`). The library has no way to save a tokenizer yet; a pickle holds the text.
"""

import json
import pathlib
import sys
import tempfile

import tokenizers

EOT = "<|endoftext|>"
MERGES = "a b|Ġ a|Ġa b|n o|no t|1 2|' s|Ġ Ġ|c a|ca f|caf e|Ã ©".split("|")
TEXT = " ab not it's 12,500  two\n\n\tspaces<|endoftext|>'tis <a> <b> cafe\u0301 caf\u00e9"
GPT2_CUT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def alphabet():
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + rest.index(byte)) for byte in range(256)]


def added(id, content, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


def older(**changes):
    tokens = alphabet() + [merge.replace(" ", "") for merge in MERGES] + [EOT]
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    model |= {"vocab": {token: i for i, token in enumerate(tokens)}, "merges": MERGES}
    file = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [added(len(tokens) - 1, EOT)], "normalizer": None}
    return {**file, "pre_tokenizer": level(), "post_processor": level(), "decoder": level(), "model": model, **changes}


def level(regex=True):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": regex}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


END = len(alphabet()) + len(MERGES)
PIECE = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
TEXT_PIECE = lambda name, of: {"Sequence": {"id": name, "type_id": of}}
TEMPLATE = {
    "type": "TemplateProcessing", "single": [PIECE("<a>"), TEXT_PIECE("A", 0), PIECE(EOT)], "pair": [TEXT_PIECE("A", 0), TEXT_PIECE("B", 1)],
    "special_tokens": {name: {"id": name, "ids": [id], "tokens": [name]} for name, id in [("<a>", END + 1), (EOT, END)]},
}  # fmt: skip
CASES = {
    "GPT-2's": older(),
    "a Split by GPT-2's cut": older(pre_tokenizer=sequence({"type": "Split", "pattern": {"Regex": GPT2_CUT}, "behavior": "Isolated", "invert": False}, level(False))),
    "no cut": older(pre_tokenizer=level(False)),
    "digits by themselves": older(pre_tokenizer=sequence({"type": "Digits", "individual_digits": True}, level())),
    "NFC, more tokens and a template": older(
        normalizer={"type": "NFC"}, post_processor={"type": "Sequence", "processors": [level(), TEMPLATE]},
        added_tokens=[added(END, EOT), added(END + 1, "<a>", rstrip=True), added(END + 2, "<b>", special=False)],
    ),
}  # fmt: skip


def main():
    made = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tokenizer.json"
        for name, file in CASES.items():
            path.write_text(json.dumps(file))
            read = tokenizers.Tokenizer.from_file(str(path))
            newer = json.loads(read.__reduce__()[1][0])
            assert newer["version"] == "2.0", newer["version"]
            ids = [int(id) for id in read.encode(TEXT).ids]
            # In this form their order says nothing.
            newer["added_tokens"].reverse()
            path.write_text(json.dumps(newer))
            assert list(tokenizers.Tokenizer.from_file(str(path)).encode(TEXT).ids) == ids, name
            made.append({"name": name, "file": newer, "ids": ids})
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("newer.json"))
    with open(target, "w", encoding="utf-8") as out:
        json.dump({"tokenizers": tokenizers.__version__, "text": TEXT, "cases": made}, out, ensure_ascii=False, indent=None, separators=(",", ":"))
        out.write("\n")


main()
