#!/bin/sh
# polars 2.1.0 (PyPI, Python 3.11): read_parquet(columns=["text"]) refuses a file by DuckDB 2.0.1 that
# has one more column, of the type GEOMETRY or VARIANT. Nobody asked for that column, and the one that
# was asked for is an ordinary string: pyarrow 26.0.1 reads it from the same files. The types are those
# that the Parquet format got in 2025, and what polars trips over is their annotation in the schema.
#
# What one would expect: columns that are not selected cannot matter; if anything, selecting the new one fails.
# What it means here: the polars crate (0.55) does the same, so kdpipe walks a file's footer first and
# takes out the annotations that the crate does not know.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "polars==2.1.0" "duckdb==2.0.1" "pyarrow==26.0.1"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
import duckdb
import polars
import pyarrow
import pyarrow.parquet

connection = duckdb.connect()
COLUMNS = {"nothing else": "", "GEOMETRY": ", 'POINT(1 1)'::GEOMETRY AS place", "VARIANT": ", {'a': 1}::VARIANT AS more"}

def read(more):
    path = f"{sys.argv[1]}/file.parquet"
    connection.execute(f"COPY (SELECT 'one' AS text{more}) TO '{path}' (FORMAT parquet, GEOPARQUET_VERSION 'V2')")
    by_arrow = pyarrow.parquet.ParquetFile(path).read(columns=["text"])["text"].to_pylist()
    try:
        by_polars = polars.read_parquet(path, columns=["text"])["text"].to_list()
    except polars.exceptions.ComputeError as error:
        by_polars = str(error)
    return by_arrow, by_polars

found = {name: read(more) for name, more in COLUMNS.items()}
print("polars", polars.__version__, "pyarrow", pyarrow.__version__, "duckdb", duckdb.__version__)
for name, (by_arrow, by_polars) in found.items():
    print(f"beside text {name}: pyarrow {by_arrow}, polars {by_polars}")
assert all(by_arrow == ["one"] for by_arrow, _ in found.values()), found
assert found["nothing else"][1] == ["one"], found
for name in ("GEOMETRY", "VARIANT"):
    assert "LogicalType union has no variant set" in found[name][1], found
PYTHON
echo "as described"
