#!/bin/sh
# datasets 5.2.0 (PyPI, Python 3.11): a split may be given as several patterns. A file that two of them
# match is read twice, and its rows are in the split twice, without a word: "a.txt first, then all the
# others" trains on a.txt double. A pattern by itself gives each file once.
#
# What one would expect: the files of a split are a set, as they are for one pattern, or a warning.
# What it means here: kdpipe reads each file of a hub dataset once however many patterns find it, and
# refuses a file of one's own that a split names twice.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "datasets==5.2.0" "pyarrow==26.0.1"
HF_HOME="$folder/home" HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import pathlib, sys, warnings
import datasets

root = pathlib.Path(sys.argv[1]) / "repo"
root.mkdir()
(root / "a.txt").write_text("one\ntwo\n")
(root / "b.txt").write_text("three\n")

def rows(paths):
    lines = ["---", "configs:", "- config_name: default", "  data_files:", "  - split: train", "    path:"]
    (root / "README.md").write_text("\n".join([*lines, *[f'    - "{path}"' for path in paths], "---", ""]))
    return list(datasets.load_dataset(str(root))["train"]["text"])

datasets.disable_progress_bars()
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    once, twice = rows(["*.txt"]), rows(["a.txt", "*.txt"])
told = [str(warning.message) for warning in told if "twice" in str(warning.message) or "duplicate" in str(warning.message)]
print("datasets", datasets.__version__)
print("*.txt:       ", once)
print("a.txt, *.txt:", twice, "warnings:", told)
assert once == ["one", "two", "three"], once
assert twice == ["one", "two", "one", "two", "three"] and not told, (twice, told)
PYTHON
echo "as described"
