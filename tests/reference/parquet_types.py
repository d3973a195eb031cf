"""Parquet files with a column of text beside one of a type that came later than the reader, by DuckDB 2.0.1."""
import duckdb

rows = "range(100) t(i)"
folder = "tests/reference/parquet"
db = duckdb.connect()
db.execute(f"COPY (SELECT 'text ' || i AS text, i AS id, {{'a': i}}::VARIANT AS v FROM {rows}) TO '{folder}/variant.parquet' (FORMAT parquet)")
db.execute(f"COPY (SELECT 'text ' || i AS text, 'POINT(1 1)'::GEOMETRY AS g FROM {rows}) TO '{folder}/geometry.parquet' (FORMAT parquet, GEOPARQUET_VERSION 'V2')")
