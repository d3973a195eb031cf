#!/bin/sh
# datasets 5.2.0 (PyPI, Python 3.11): a dataset folder with one data.parquet loads as the split "train".
# Put the numbers of an evaluation beside it, as eval/results.json, and the same call gives one split
# "test" that holds the numbers: the text is gone, without a word. The folder's name is one of the
# keywords of the split "test", a split that is found by a name hides every file without one, and the
# kind of file is that of most files of the splits.
#
# Guessed beforehand: the numbers become a second split beside "train", or an error for two kinds of files.
# What it means here: a hub dataset is read by the same rules, so such a repo needs `configs` in its card.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "datasets==5.2.0" "pyarrow==26.0.1"
HF_HOME="$folder/home" HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json, pathlib, sys
import datasets
import pyarrow as pa
import pyarrow.parquet as pq

root = pathlib.Path(sys.argv[1]) / "study"
root.mkdir()
pq.write_table(pa.table({"text": ["one", "two", "three"]}), root / "data.parquet")

def seen():
    found = datasets.load_dataset(str(root))
    return {split: (rows.num_rows, rows.column_names) for split, rows in found.items()}

before = seen()
(root / "eval").mkdir()
(root / "eval" / "results.json").write_text(json.dumps({"perplexity": 29.4}))
after = seen()
print("datasets", datasets.__version__)
print("data.parquet alone:          ", before)
print("with eval/results.json added:", after)
assert before == {"train": (3, ["text"])}, before
assert after == {"test": (1, ["perplexity"])}, after
PYTHON
echo "as described"
