"""Which files each split of a repo is made of, and which rows files have, as load_dataset of Python's `datasets` gives them.

Writes layouts.json. The repos are folders on this machine: the rules are the same, and no network is needed."""

import gzip
import json
import os
import pathlib
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp()

import datasets

datasets.logging.set_verbosity_error()
datasets.disable_progress_bars()
folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
layouts = []


def lay(name, files, card=None, configs=(None,)):
    root = pathlib.Path(tempfile.mkdtemp()) / "d"
    root.mkdir()
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"x")
    if card is not None:
        (root / "README.md").write_text(card, newline="")
    for config in configs:
        case = {"name": name, "files": files, "card": card, "config": config}
        try:
            builder = datasets.load_dataset_builder(str(root), config)
            case["kind"] = builder.__module__.split(".")[-1]
            case["splits"] = {
                str(split): [os.path.relpath(path, root) for path in paths] for split, paths in (builder.config.data_files or {}).items()
            }
        except Exception as error:
            case["error"] = type(error).__name__
        layouts.append(case)

lay("folder train", ["train/part-0.parquet", "train/part-1.parquet"])
lay("data/train folder", ["data/train/a.parquet", "data/validation/b.parquet", "data/test/c.parquet"])
lay("train_0", ["train_0.parquet", "train_10.parquet", "train_2.parquet", "test_0.parquet"])
lay("my-train", ["my-train.parquet", "my-test.parquet"])
lay("mytrain is none", ["mytrain.parquet", "mytest.parquet"])
lay("dev", ["train.parquet", "dev.parquet"])
lay("valid val", ["train.jsonl", "valid.jsonl", "val.jsonl"])
lay("eval is test", ["train.jsonl", "eval.jsonl"])
lay("testing training", ["training.jsonl", "testing.jsonl", "evaluation.jsonl"])
lay("data.parquet", ["data.parquet", "README.txt2", "LICENSE"])
lay("data.parquet + txt", ["data.parquet", "notes.txt"])
lay("sharded data", ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/test-00000-of-00001-0123456789abcdef.parquet", "data/random-00000-of-00001.parquet", "other.parquet"])
lay("sharded at root", ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "unsupervised-00000-of-00001.parquet"])
lay("sharded in config folders", ["a/train-00000-of-00001.parquet", "a/test-00000-of-00001.parquet", "b/train-00000-of-00001.parquet"], None, (None,"a"))
lay("convert", ["default/train/0000.parquet", "default/test/0000.parquet"])
lay("convert 2", ["a/train/0000.parquet", "b/partial-train/0000.parquet"])
lay("twice", ["train/train-v2/a.parquet", "train/b.parquet"])
lay("both dirs and names", ["train/a.parquet", "test.parquet"])
lay("dir wins", ["train/a.parquet", "train/test.parquet", "dev.parquet"])
lay("train in train dir", ["data/train/train-1.parquet", "data/test/test-1.parquet"])
lay("upper", ["Train.parquet", "TEST.parquet"])
lay("hidden", ["train.parquet", ".train.parquet", ".git/train.parquet", "__pycache__/train.parquet", "._train.parquet"])
lay("mixed kinds", ["train.jsonl", "train.parquet", "test.jsonl", "test.parquet"])
lay("mixed kinds by split", ["train.jsonl", "test.parquet"])
lay("more jsonl", ["train-1.jsonl", "train-2.jsonl", "train.parquet"])
lay("gz", ["train.jsonl.gz", "test.jsonl.zst"])
lay("txt gz", ["train.txt.gz", "test.txt"])
lay("json", ["train.json", "test.json"])
lay("json beside", ["data.jsonl", "config.json", "vocab.json"])
lay("csv", ["train.csv", "test.csv"])
lay("tar", ["train-000.tar", "train-001.tar"])
lay("md", ["data.parquet", "docs/guide.md"])
lay("md only in eval", ["data.parquet", "eval/results.md"])
lay("eval json", ["data.parquet", "eval/results.json"])
lay("script", ["d.py", "train.jsonl"])
lay("images", ["train/1.png", "test/2.png"])
lay("dates", ["2019/train.jsonl", "2020/train.jsonl"])
lay("train.v1", ["train.v1.parquet"])
lay("pre train post", ["a train b.txt"])
lay("no ext", ["train"])
lay("train log", ["train.log", "data.parquet"])
lay("train dir of logs", ["train/log.out", "data.parquet"])
lay("evaluation dir", ["evaluation/x.parquet", "training/y.parquet", "valid/z.parquet", "dev-1/w.parquet"])
lay("data-train", ["data-train/a.parquet", "x/my train 2/b.parquet", "x/test_v1/c.parquet"])
lay("ndjson", ["train.ndjson"])
lay("requirements", ["data.jsonl", "requirements.txt", "a.txt", "b.txt"])
lay("draw", ["data.jsonl", "notes.txt"])
lay("harbor", ["data.parquet", "x/task.toml"])
lay("logs", ["data.parquet", "x/a.eval"])
lay("empty split validation csv", ["train.parquet", "test.csv"])
lay("split dots", ["data/train.v1-00000-of-00001.parquet"])
lay("split dash in sharded", ["data/my-split-00000-of-00001.parquet"])
lay("sharded other ext", ["data/train-00000-of-00001.jsonl.gz", "data/train-00000-of-00001.parquet"])
lay("sharded png ext", ["data/train-00000-of-00001.json"])

def c(block):
    return "---\n" + block + "---\n# hi\n"

lay("card string", ["x/a.parquet", "x/b.parquet", "c.parquet"], c("configs:\n- config_name: default\n  data_files: x/a.parquet\n"))
lay("card list", ["x/a.parquet", "x/b.parquet", "c.parquet"], c("configs:\n- config_name: default\n  data_files:\n  - x/b.parquet\n  - x/a.parquet\n"))
lay("card glob splits", ["x/a.parquet", "x/b.parquet", "y/c.parquet", "z.parquet"], c("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: x/*\n  - split: heldout\n    path:\n    - y/*.parquet\n    - z.parquet\n"))
lay("card two configs", ["en/train.jsonl", "de/train.jsonl", "de/test.jsonl"], c("configs:\n- config_name: en\n  data_files: en/*.jsonl\n- config_name: de\n  data_dir: de\n"), (None,"en", "de", "fr"))
lay("card default flag", ["en/train.jsonl", "de/train.jsonl", "de/test.jsonl"], c("configs:\n- config_name: en\n  data_files: en/*.jsonl\n- config_name: de\n  data_dir: de\n  default: true\n"), (None,"en"))
lay("card named default", ["en/train.jsonl", "de/train.jsonl"], c("configs:\n- config_name: en\n  data_files: en/*.jsonl\n- config_name: default\n  data_files: de/*.jsonl\n"), (None,))
lay("card two defaults", ["en/train.jsonl", "de/train.jsonl"], c("configs:\n- config_name: en\n  data_files: en/*.jsonl\n  default: true\n- config_name: default\n  data_files: de/*.jsonl\n"), (None,))
lay("card without files", ["train.parquet", "test.parquet"], c("configs:\n- config_name: only\n"), (None,"only"))
lay("card data_dir only", ["a/train.parquet", "a/test.parquet", "b/train.parquet"], c("configs:\n- config_name: only\n  data_dir: a\n"))
lay("card data_dir and files", ["a/x.parquet", "a/y.parquet", "b/x.parquet"], c("configs:\n- config_name: only\n  data_dir: a\n  data_files: x.parquet\n"))
lay("card data_dir and files 2", ["a/x.parquet", "a/y.parquet", "b/x.parquet"], c("configs:\n- config_name: only\n  data_dir: a\n  data_files: a/x.parquet\n"))
lay("fineweb", ["data/CC-1/000_00000.parquet", "sample/10BT/000_00000.parquet", "sample/10BT/001_00000.parquet", "sample/100BT/000_00000.parquet"], c("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/*/*\n- config_name: sample-10BT\n  data_files:\n  - split: train\n    path: sample/10BT/*\n"), (None,"sample-10BT"))
lay("no card fineweb", ["data/CC-1/000_00000.parquet", "sample/10BT/000_00000.parquet"])
lay("card glob none", ["train.parquet"], c("configs:\n- config_name: default\n  data_files: x/*\n"))
lay("card file none", ["train.parquet"], c("configs:\n- config_name: default\n  data_files: x.parquet\n"))
lay("card one split glob none", ["train.parquet"], c("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.parquet\n  - split: test\n    path: test*\n"))
lay("card double star", ["a/b/c/x.parquet", "a/x.parquet", "x.parquet"], c("configs:\n- config_name: default\n  data_files: '**/*.parquet'\n"))
lay("card double star in", ["a/b/c/x.parquet", "a/x.parquet"], c("configs:\n- config_name: default\n  data_files: 'a/**'\n"))
lay("card double star mid", ["a/b/c/x.parquet", "a/x.parquet"], c("configs:\n- config_name: default\n  data_files: 'a/**/x.parquet'\n"))
lay("card double star prefix", ["a/b/c/x.parquet", "a/x.parquet"], c("configs:\n- config_name: default\n  data_files: 'a**'\n"))
lay("card question", ["a1.parquet", "a12.parquet"], c("configs:\n- config_name: default\n  data_files: 'a?.parquet'\n"))
lay("card class", ["a1.parquet", "a2.parquet", "ab.parquet"], c("configs:\n- config_name: default\n  data_files: 'a[0-9].parquet'\n"))
lay("card class neg", ["a1.parquet", "a2.parquet", "ab.parquet"], c("configs:\n- config_name: default\n  data_files: 'a[!0-9].parquet'\n"))
lay("card braces", ["a1.parquet", "a2.parquet"], c("configs:\n- config_name: default\n  data_files: 'a{1,2}.parquet'\n"))
lay("card dot slash", ["a1.parquet", "a2.parquet"], c("configs:\n- config_name: default\n  data_files: './a1.parquet'\n"))
lay("card folder", ["a/1.parquet"], c("configs:\n- config_name: default\n  data_files: 'a'\n"))
lay("card folder slash", ["a/1.parquet"], c("configs:\n- config_name: default\n  data_files: 'a/'\n"))
lay("card twice", ["a1.parquet", "a2.parquet"], c("configs:\n- config_name: default\n  data_files:\n  - a1.parquet\n  - a*.parquet\n"))
lay("card hidden", [".h/a.parquet", "__x__/a.parquet", "b.parquet"], c("configs:\n- config_name: default\n  data_files:\n  - '.h/*'\n  - '__x__/*'\n  - '*/a.parquet'\n"))
lay("card split name dash", ["a.parquet"], c("configs:\n- config_name: default\n  data_files:\n  - split: my-split\n    path: a.parquet\n"))
lay("card split dup", ["a.parquet", "b.parquet"], c("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: a.parquet\n  - split: train\n    path: b.parquet\n"))
lay("card mixed files", ["a.parquet", "b.jsonl", "c.jsonl"], c("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: '*'\n"))
lay("card mixed configs", ["a.parquet", "b.jsonl"], c("configs:\n- config_name: x\n  data_files: a.parquet\n- config_name: y\n  data_files: b.jsonl\n"), ("x", "y"))
lay("card no config name", ["a.parquet"], c("configs:\n- data_files: a.parquet\n"))
lay("card not yaml", ["train.parquet"], "# just a title\n")
lay("card broken yaml", ["train.parquet"], "---\na: [1\n---\n")
lay("card bom", ["train.parquet", "x.parquet"], "\ufeff"+c("configs:\n- config_name: default\n  data_files: x.parquet\n"))
lay("card crlf", ["train.parquet", "x.parquet"], c("configs:\n- config_name: default\n  data_files: x.parquet\n").replace("\n", "\r\n"))
lay("card leading blank", ["train.parquet", "x.parquet"], "\n"+c("configs:\n- config_name: default\n  data_files: x.parquet\n"))
lay("card anchors", ["a.parquet", "b.parquet"], c("x: &x a.parquet\nconfigs:\n- config_name: default\n  data_files: *x\n"))
lay("card merge", ["a.parquet", "b.parquet"], c("x: &x\n  data_files: a.parquet\nconfigs:\n- config_name: default\n  <<: *x\n"))
lay("card info default", ["a.parquet", "b.parquet"], c("dataset_info:\n  config_name: y\n  features:\n  - name: text\n    dtype: string\nconfigs:\n- config_name: x\n  data_files: a.parquet\n- config_name: y\n  data_files: b.parquet\n"))
lay("card info without configs", ["train.parquet"], c("dataset_info:\n  config_name: y\n  features:\n  - name: text\n    dtype: string\n"), (None,"y", "default"))
lay("card info no name", ["train.parquet"], c("dataset_info:\n  features:\n  - name: text\n    dtype: string\n"), (None,))
lay("card json field", ["a.json"], c("configs:\n- config_name: default\n  data_files: a.json\n  field: data\n"))
lay("card up", ["a.parquet"], c("configs:\n- config_name: default\n  data_files: ../a.parquet\n"))
lay("card data_files dict", ["a.parquet", "b.parquet"], c("configs:\n- config_name: default\n  data_files:\n    train: a.parquet\n    test: b.parquet\n"))
lay("card configs empty", ["train.parquet"], c("configs: []\n"))
lay("card space in name", ["a b/train 1.parquet"], c("configs:\n- config_name: default\n  data_files: a b/*\n"))
lay("card slash star dir", ["a/b/1.parquet", "a/2.parquet"], c("configs:\n- config_name: default\n  data_files: a/*\n"))
lay("readme in data", ["train/README.md", "train/a.parquet", "train/dataset_info.json"])
lay("dataset_dict saved", ["dataset_dict.json", "train/data-00000-of-00001.arrow", "train/state.json", "train/dataset_info.json"])
lay("wikitext", ["wikitext-2-raw-v1/train-00000-of-00001.parquet", "wikitext-2-raw-v1/test-00000-of-00001.parquet", "wikitext-103-raw-v1/train-00000-of-00002.parquet"], c("configs:\n- config_name: wikitext-103-raw-v1\n  data_files:\n  - split: train\n    path: wikitext-103-raw-v1/train-*\n- config_name: wikitext-2-raw-v1\n  data_files:\n  - split: test\n    path: wikitext-2-raw-v1/test-*\n  - split: train\n    path: wikitext-2-raw-v1/train-*\n"), (None,"wikitext-2-raw-v1"))

rows = []


def read(name, ending, data):
    root = pathlib.Path(tempfile.mkdtemp()) / "d"
    root.mkdir()
    (root / f"train{ending}").write_bytes(data)
    case = {"name": name, "ending": ending, "bytes": data.hex()}
    try:
        case["rows"] = [row.get("text") for row in datasets.load_dataset(str(root))["train"].to_list()]
    except Exception as error:
        case["error"] = type(error).__name__
    rows.append(case)

J = ".jsonl"
read("plain",J,b'{"text":"a"}\n{"text":"b"}\n')
read("no end",J,b'{"text":"a"}\n{"text":"b"}')
read("null",J,b'{"text":"a"}\n{"text":null}\n{"text":"b"}\n')
read("missing",J,b'{"text":"a"}\n{"x":1}\n{"text":"b"}\n')
read("blank lines",J,b'{"text":"a"}\n\n  \n{"text":"b"}\n')
read("crlf",J,b'{"text":"a"}\r\n{"text":"b"}\r\n')
read("bom",J,b'\xef\xbb\xbf{"text":"a"}\n{"text":"b"}\n')
read("dup key",J,b'{"text":"a", "text":"b"}\n')
read("two on a line",J,b'{"text":"a"}{"text":"b"}\n')
read("over lines",J,b'{"text":\n"a"}\n{"text":"b"}\n')
read("number",J,b'{"text":1}\n{"text":2}\n')
read("mixed",J,b'{"text":"a"}\n{"text":2}\n')
read("mixed null first",J,b'{"text":null}\n{"text":"a"}\n')
read("list of objects", ".json",b'[{"text":"a"},{"text":"b"}]')
read("list of objects over lines", ".json",b'[\n {"text":"a"},\n {"text":"b"}\n]\n')
read("list of strings", ".json",b'["a", "b"]')
read("space list", ".json",b' [{"text":"a"},{"text":"b"}]')
read("one object", ".json",b'{"text":"a"}')
read("one object over lines", ".json",b'{\n "text":"a"\n}')
read("one object of lists", ".json",b'{\n "text":["a", "b"]\n}')
read("strings",J,b'"a"\n"b"\n')
read("numbers lines",J,b'1\n2\n')
read("lists in lines",J,b'["a"]\n["b"]\n')
read("surrogate",J,b'{"text":"\\ud83d\\ude00"}\n')
read("lone surrogate",J,b'{"text":"\\ud83d"}\n')
read("nul",J,b'{"text":"a\\u0000b"}\n')
read("bad utf8",J,b'{"text":"\xff"}\n')
read("empty file",J,b'')
read("only blank",J,b'\n')
read("garbage",J,b'{"text":"a"}\nhello\n')
read("trailing comma",J,b'{"text":"a",}\n')
read("nan",J,b'{"text":"a", "x":NaN}\n')
read("nested",J,b'{"text":{"x":"a"}}\n')
read("long number",J,b'{"text":"a", "x":123456789012345678901234567890}\n')
read("control raw",J,b'{"text":"a\tb"}\n')
T = ".txt"
read("lines",T,b'a\nb\n')
read("no end",T,b'a\nb')
read("blank",T,b'a\n\nb\n\n')
read("crlf",T,b'a\r\nb\r\n')
read("cr",T,b'a\rb\r')
read("mixed",T,b'a\r\rb\n\rc')
read("ff vt ls",T,'a\x0cb\x0bc\u2028d\x85e\x1cf\n'.encode())
read("bom",T,b'\xef\xbb\xbfa\nb')
read("empty",T,b'')
read("gz", ".txt.gz",gzip.compress(b'a\nb\n'))
read("gz json", ".jsonl.gz",gzip.compress(b'{"text":"a"}\n'))
read("bad utf8",T,b'a\xffb\n')
read("spaces kept",T,b'  a \n')

everything = {"datasets": datasets.__version__, "layouts": layouts, "rows": rows}
(folder / "layouts.json").write_text(json.dumps(everything, indent=1) + "\n")
