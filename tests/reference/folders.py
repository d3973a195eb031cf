"""Writes `folders.json`: small tokenizer folders in every form that is read, and what AutoTokenizer of transformers makes of each.

    python folders.py [FILE]
"""

import json
import pathlib
import sys
import tempfile

import tokenizers
import transformers
from tokenizers import Regex, normalizers, pre_tokenizers
from transformers import AutoTokenizer
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

EOT = "<|endoftext|>"
MERGES = "a b|Ġ a|Ġa b|n o|no t|1 2|Ġ t|Ġt w|Ġtw o|n e|ne w|l i|li n|lin e|Ċ Ċ|i t|' s|Ġ Ġ|c a|ca f|caf e|Ã ©|f i|F I|A B|Ġ A".split("|")
WHOLE = ["whole"]  # in the vocabulary, but no merge leads to it: only ignore_merges finds it
TEXT = (
    " ab new line<|endoftext|>not it's 12,500  two\n\n\tspaces 'tis <s>x</s> <pad>AB [PAD]<x> <y>\n"
    "cafe\u0301 caf\u00e9 \ufb01 \u212b \u00a0 whole <image>whole <z> no"
)
GPT2_CUT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def alphabet():
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + rest.index(byte)) for byte in range(256)]


def model(specials=(EOT,), first=False, **switches):
    tokens = alphabet() + [merge.replace(" ", "") for merge in MERGES] + WHOLE
    tokens = [*specials, *tokens] if first else [*tokens, *specials]
    switches = {"dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, **switches}
    return {"type": "BPE", **switches, "vocab": {token: i for i, token in enumerate(tokens)}, "merges": MERGES}


def added(id, content, flags="special"):
    return {"id": id, "content": content, **{name: name in flags.split() for name in ["single_word", "lstrip", "rstrip", "normalized", "special"]}}


BASE = model()
END = BASE["vocab"][EOT]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
THREE = ["<s>", "<pad>", "</s>"]


def file(**changes):
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [added(END, EOT)], "normalizer": None,
        "pre_tokenizer": BYTE_LEVEL, "post_processor": BYTE_LEVEL, "decoder": BYTE_LEVEL, "model": BASE, **changes,
    }  # fmt: skip


def part(made):
    """A component of the tokenizers library, as it is written."""
    return json.loads(made.__getstate__())


def template(single):
    names = [name for name in [EOT, "<s>", "</s>"] if name in single]
    ids = {EOT: END, "<s>": END + 1, "</s>": END + 2}
    pieces = [{"Sequence": {"id": "A", "type_id": 0}} if piece == "$A" else {"SpecialToken": {"id": piece, "type_id": 0}} for piece in single.split()]
    return {
        "type": "TemplateProcessing", "single": pieces, "pair": [*pieces, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in names},
    }  # fmt: skip


FAST = {"tokenizer_class": "PreTrainedTokenizerFast"}
NAMES = {**FAST, "bos_token": EOT, "eos_token": EOT, "unk_token": EOT}
GPT2 = {"tokenizer_class": "GPT2TokenizerFast"}
MARKED = file(added_tokens=[added(END, EOT), added(END + 1, "<s>"), added(END + 2, "</s>")])
AddedToken = {"__type": "AddedToken", "content": "<x>", "lstrip": False, "rstrip": False, "normalized": True, "single_word": False}


def cases():
    """Name → the files of the folder, beside a config.json of GPT-2 where they have no other; None as its content is no such file."""
    both = lambda name, whole, config=NAMES: [(f"{name}, of PreTrainedTokenizerFast", {"tokenizer.json": whole, "tokenizer_config.json": config}), (f"{name}, of GPT2Tokenizer", {"tokenizer.json": whole})]  # fmt: skip
    config = lambda name, settings, whole=None, **more: [(name, {"tokenizer.json": whole or file(), "tokenizer_config.json": settings, **more})]
    old = lambda name, **files: [(name, {"vocab.json": BASE["vocab"], "merges.txt": "#version: 0.2\n" + "\n".join(MERGES) + "\n", **{k.replace("__", "."): v for k, v in files.items()}})]  # fmt: skip
    yield from both("plain", file())
    yield from config("no names", FAST)
    yield from config("GPT2TokenizerFast by name", GPT2)
    yield from config("TokenizersBackend by name", {**NAMES, "tokenizer_class": "TokenizersBackend"})
    yield from config("a class that there is not", {**NAMES, "tokenizer_class": "MyOwnTokenizer"})
    yield from both("end of text in the vocabulary alone", file(added_tokens=[]))
    yield from config("end of text in the vocabulary alone, not named", FAST, file(added_tokens=[]))
    three = file(added_tokens=[added(i, name) for i, name in enumerate(THREE)], model=model(THREE, first=True))
    yield from both("three specials", three, {**FAST, "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"})
    yield from both("whole words first", file(model=model(ignore_merges=True)))
    yield from both("dropout of nothing", file(model=model(dropout=0.0)))
    yield from both("switches of the model", file(model=model(unk_token=EOT, fuse_unk=True, byte_fallback=True)))
    Sequence = normalizers.Sequence
    for name, made in {
        "no normalizers": Sequence([]), "NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD(),
        "lower case": normalizers.Lowercase(), "accents away": Sequence([normalizers.NFD(), normalizers.StripAccents()]),
        "replaced": normalizers.Replace("t", "ab"), "prepended": normalizers.Prepend("x"), "stripped": normalizers.Strip(),
    }.items():  # fmt: skip
        yield from both(f"normalizer {name}", file(normalizer=part(made)))
    yield from config("lower case, and an added token that is normalized", NAMES, file(normalizer=part(normalizers.Lowercase()), added_tokens=[added(END, EOT), added(END + 1, "AB", "normalized")]))
    B, S, P = pre_tokenizers.ByteLevel, pre_tokenizers.Sequence, pre_tokenizers
    plain, bare = B(add_prefix_space=False), B(add_prefix_space=False, use_regex=False)
    for name, made in {
        "Sequence of ByteLevel": S([plain]), "Split and ByteLevel": S([P.Split(Regex(GPT2_CUT), "isolated"), bare]),
        "Split, inverted": S([P.Split(Regex(GPT2_CUT), "removed", invert=True), bare]), "prefix space": B(add_prefix_space=True), "prefix space in a Sequence": S([B(add_prefix_space=True)]),
        "digits": S([P.Digits(individual_digits=True), plain]), "no cut": bare, "another Split": S([P.Split(Regex(r"\p{L}+"), "isolated"), bare]), "white space": P.Whitespace(),
    }.items():  # fmt: skip
        yield from both(f"pre-tokenizer {name}", file(pre_tokenizer=part(made)))
    yield from config("add_prefix_space of GPT2Tokenizer", {**GPT2, "add_prefix_space": True})
    yield from config("add_prefix_space of PreTrainedTokenizerFast", {**NAMES, "add_prefix_space": True})
    for single in ["<s> $A", "$A </s>", "<s> $A </s>", f"{EOT} $A", "<s> <s> $A </s>"]:
        yield from both(f"template {single}", {**MARKED, "post_processor": template(single)})
    sequence = lambda *processors: {**MARKED, "post_processor": {"type": "Sequence", "processors": list(processors)}}
    yield from both("template in a Sequence", sequence(BYTE_LEVEL, template("<s> $A </s>")))
    yield from both("two templates in a Sequence", sequence(template("<s> $A"), template(f"{EOT} $A </s>")))
    yield from both("RobertaProcessing", {**MARKED, "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", END + 2], "cls": ["<s>", END + 1], "trim_offsets": True, "add_prefix_space": False}})
    yield from both("BertProcessing", {**MARKED, "post_processor": {"type": "BertProcessing", "sep": ["</s>", END + 2], "cls": ["<s>", END + 1]}})
    yield from both("no post-processor", file(post_processor=None))
    for key in ["add_bos_token", "add_eos_token"]:
        yield from config(f"{key} beside tokenizer.json", {**GPT2, key: True})
        yield from config(f"{key} beside tokenizer.json of PreTrainedTokenizerFast", {**NAMES, key: True})
        yield from old(f"{key} beside vocab.json", tokenizer_config__json={key: True})
    yield from config("split_special_tokens", {**NAMES, "split_special_tokens": True})
    yield from config("split_special_tokens of GPT2Tokenizer", {"split_special_tokens": True})
    yield from config("a key that ends in _token", {**NAMES, "image_token": "<image>"})
    yield from config("a key that ends in _token of GPT2Tokenizer", {"image_token": "<image>", "add_bos_token": False})
    yield from config("a token as an object with its type", {**NAMES, "pad_token": AddedToken})
    yield from config("a token as an object without a type", {**NAMES, "pad_token": {"content": "<x>"}})
    yield from config("a key of one's own as an object", {**NAMES, "own_token": AddedToken, "other_token": {"content": "<y>"}})
    yield from config("a token of null", {**GPT2, "unk_token": None, "bos_token": None, "eos_token": None})
    yield from config("a pad token", {**NAMES, "pad_token": "[PAD]"})
    yield from config("additional_special_tokens", {**NAMES, "additional_special_tokens": ["<x>", "<y>"]})
    yield from config("extra_special_tokens in a list", {**NAMES, "extra_special_tokens": ["<x>", "<y>"]})
    yield from config("extra_special_tokens in an object", {**NAMES, "extra_special_tokens": {"x_token": "<x>", "why": "<y>"}})
    yield from config("extra in a list and additional", {**NAMES, "extra_special_tokens": ["<x>"], "additional_special_tokens": ["<y>"]})
    yield from config("extra in an object and additional", {**NAMES, "extra_special_tokens": {"x_token": "<x>"}, "additional_special_tokens": ["<y>"]})
    yield from config("extra of nothing and additional", {**NAMES, "extra_special_tokens": [], "additional_special_tokens": ["<y>"]})
    yield from config("named, extra and own together", {"image_token": "<image>", "extra_special_tokens": ["<y>", "<x>"], "pad_token": "[PAD]", "mask_token": "<z>"})
    table = {str(END): {k: v for k, v in added(END, EOT).items() if k != "id"}}
    two = {**table, str(END + 2): {"content": "<y>", "special": True}, str(END + 1): {"content": "<x>", "lstrip": True, "rstrip": True}}
    yield from config("added_tokens_decoder adds", {**NAMES, "added_tokens_decoder": two})
    yield from config("added_tokens_decoder adds, of GPT2Tokenizer", {"added_tokens_decoder": two, "pad_token": "<x>"})
    yield from config("added_tokens_decoder has other flags", {**NAMES, "added_tokens_decoder": {str(END): {"content": EOT, "lstrip": True, "special": True}}})
    yield from config("added_tokens_decoder has other ids", {**NAMES, "added_tokens_decoder": {"600": {"content": "<x>"}, "601": {"content": "<y>"}}})
    yield from config("added_tokens_decoder of nothing, of GPT2Tokenizer", {"added_tokens_decoder": {}, "eos_token": "<x>"}, MARKED)
    yield from config("added_tokens_decoder leaves out, of GPT2Tokenizer", {"added_tokens_decoder": table}, MARKED)
    yield from config("added_tokens_decoder leaves out, of PreTrainedTokenizerFast", {**NAMES, "added_tokens_decoder": table}, MARKED)
    yield from config("a map beside", NAMES, **{"special_tokens_map.json": {"pad_token": "<x>", "additional_special_tokens": ["<y>"]}})
    yield from config("a map beside, against the config", {**NAMES, "pad_token": "<z>", "additional_special_tokens": ["<y>"]}, **{"special_tokens_map.json": {"pad_token": {"content": "<x>", "lstrip": True}, "additional_special_tokens": ["<s>"]}})  # fmt: skip
    yield from config("a map beside a decoder", {**NAMES, "added_tokens_decoder": table}, **{"special_tokens_map.json": {"pad_token": "<x>"}})
    yield from config("extra in the map and the config", {**NAMES, "extra_special_tokens": ["<y>"]}, **{"special_tokens_map.json": {"extra_special_tokens": ["<x>", "<y>"]}})
    yield from config("extra as an object in the map", NAMES, **{"special_tokens_map.json": {"extra_special_tokens": {"x_token": "<x>"}}})
    yield from config("a key of one's own in the map", NAMES, **{"special_tokens_map.json": {"own_token": "<x>"}})
    yield from config("added_tokens.json beside tokenizer.json", NAMES, **{"added_tokens.json": {"<x>": END + 1, "<y>": END + 2}})
    yield from config("added_tokens.json and a map", NAMES, **{"added_tokens.json": {"<y>": END + 2, "<x>": END + 1}, "special_tokens_map.json": {"pad_token": "<y>"}})
    yield from config("added_tokens.json beside tokenizer.json, of GPT2Tokenizer", {}, **{"added_tokens.json": {"<x>": END + 1, "<y>": END + 2}})
    yield from config("tokenizer_config.json alone names all", {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<s>"}, file(added_tokens=[]))
    gap = file(added_tokens=[added(END, EOT), added(END + 20, "<x>")])
    yield from both("an id with a gap before it", gap)
    turned = file(added_tokens=[added(END + 2, "<x>"), added(END, EOT), added(END + 1, "<y>", "normalized")])
    yield from both("added tokens not in order", turned)
    yield from old("vocab.json and merges.txt")
    yield from old("older files of PreTrainedTokenizerFast", tokenizer_config__json=NAMES)
    yield from old("older files with added tokens", added_tokens__json={"<x>": END + 1, "<y>": END + 2}, special_tokens_map__json={"pad_token": "<x>"})
    yield from old("older files with names", tokenizer_config__json={"eos_token": "</s>", "bos_token": "<s>", "add_prefix_space": False})
    yield from old("older files with a prefix space", tokenizer_config__json={"add_prefix_space": True})
    yield from old("older files with both marks", tokenizer_config__json={"bos_token": "<s>", "add_bos_token": True, "add_eos_token": True})
    middle = "#version: 0.2\n" + "\n".join(MERGES[:9]) + "\n#version: 0.2\n" + "\n".join(MERGES[9:]) + "\n"
    yield from old("a version among the merges", merges__txt=middle)
    yield from old("an empty line at the end of the merges", merges__txt="\n".join(MERGES) + "\n\n")
    yield from config("a second version", NAMES, {**file(), "version": "2.0"})
    yield from config("Roberta's class", {**NAMES, "tokenizer_class": "RobertaTokenizer"})
    # Where no file names a class, the model's kind does; the cut by digits shows which one it was.
    digits = file(pre_tokenizer=part(S([P.Digits(individual_digits=True), plain])))
    alone = lambda name, model, **files: [(name, {"tokenizer.json": digits, "config.json": model, **{k.replace("__", "."): v for k, v in files.items()}})]
    yield from alone("tokenizer.json alone", None)
    yield ("GPT-2's tokenizer.json alone", {"tokenizer.json": file(), "config.json": None})
    yield from alone("names without a class and no config.json", None, tokenizer_config__json={"eos_token": EOT, "pad_token": "[PAD]"})
    yield from alone("GPT2Tokenizer by name and no config.json", None, tokenizer_config__json=GPT2)
    yield from alone("a config.json without model_type", {"eos_token_id": END})
    for kind, model_type in [("GPT-Neo", "gpt_neo"), ("GPT-BigCode", "gpt_bigcode"), ("one's own", "my_own"), ("RoBERTa", "roberta")]:
        yield from alone(f"a config.json of {kind} and no class", {"model_type": model_type})
    yield from alone("GPT2Tokenizer by name beside a config.json of GPT-BigCode", {"model_type": "gpt_bigcode"}, tokenizer_config__json=GPT2)
    yield from alone("GPT2Tokenizer by name beside a config.json of GPT-NeoX", {"model_type": "gpt_neox"}, tokenizer_config__json=GPT2)
    yield from config("truncation and padding", NAMES, file(truncation={"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}, padding={"strategy": {"Fixed": 400}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}))  # fmt: skip


def told(name, files):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "config.json").write_text('{"model_type": "gpt2"}')
        for file_name, content in files.items():
            if content is None:
                (folder / file_name).unlink()
            else:
                (folder / file_name).write_text(content if isinstance(content, str) else json.dumps(content))
        said = {"name": name, "files": {key: value for key, value in files.items()}}
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder)
            ids = tokenizer(TEXT)["input_ids"]
        except Exception as error:
            return {**said, "error": f"{type(error).__name__}: {str(error)[:200]}"}
        return {
            **said, "class": type(tokenizer).__name__, "ids": ids, "length": len(tokenizer), "specials": sorted(set(tokenizer.all_special_ids)),
            **{key: getattr(tokenizer, key) for key in ["bos_token_id", "eos_token_id", "pad_token_id"]},
        }  # fmt: skip


def registered():
    """The class that each kind of model has for its tokenizer; all those with rules of their own are one."""
    known = {"GPT2Tokenizer": [], "TokenizersBackend": [], "others": []}
    for model_type, name in sorted(TOKENIZER_MAPPING_NAMES.items()):
        known[name if name in known else "others"].append(model_type)
    return {name: " ".join(model_types) for name, model_types in known.items()}


def main():
    found = [told(name, files) for name, files in cases()]
    assert len({one["name"] for one in found}) == len(found)
    for one in found:  # what is the same everywhere is there once
        if "vocab.json" in one["files"]:
            assert one["files"].pop("vocab.json") == BASE["vocab"]
            one["older"] = True
        whole = one["files"].get("tokenizer.json")
        if whole and whole["model"] == BASE:
            one["files"]["tokenizer.json"] = {**whole, "model": "BASE"}
    made = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "text": TEXT, "model": BASE, "registered": registered(), "cases": found}
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_suffix(".json"))
    path.write_text(json.dumps({**made, "cases": "CASES"}, ensure_ascii=False, indent=0).replace('"CASES"', "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in found) + "\n]") + "\n")


if __name__ == "__main__":
    main()
