#!/bin/sh
# tensorboard 2.21.0 (PyPI, Python 3.11): its reader goes from one event file of a run to the next by
# their names. A training that was stopped starts over, removes its old event file and writes a new
# one whose name sorts later: a reader that has been there since before stays at the last step of the
# file that is gone, for as long as it lives, and never opens the new one. Where the old file is
# emptied instead of removed, the same reader goes on, and drops the steps that are written anew.
#
# Guessed beforehand: it sees the new file either way; if anything, the old steps stay in the curve.
# What it means here: event files of an interrupted run are emptied, not removed, and new names sort later.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "tensorboard==2.21.0" "setuptools<81"
"$folder/venv/bin/python" - "$folder" <<'PYTHON' 2>/dev/null
import pathlib, sys
import tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

def write(path, steps):
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        first = event_pb2.Event(wall_time=1.0, file_version="brain.Event:2")
        restart = event_pb2.Event(wall_time=1.0)
        restart.session_log.status = event_pb2.SessionLog.START
        writer.write(first.SerializeToString())
        writer.write(restart.SerializeToString())
        for step in steps:
            value = summary_pb2.Summary.Value(tag="loss", simple_value=float(step))
            event = event_pb2.Event(wall_time=2.0 + step, step=step)
            event.summary.value.append(value)
            writer.write(event.SerializeToString())

def seen_after_a_restart(name, is_removed):
    run = pathlib.Path(sys.argv[1]) / name
    run.mkdir()
    old = run / "events.out.tfevents.0000000001.run"
    write(old, range(5))
    reader = EventAccumulator(str(run))
    reader.Reload()
    before = reader.Scalars("loss")[-1].step
    if is_removed:
        old.unlink()
    else:
        old.write_bytes(b"")
    write(run / "events.out.tfevents.0000000002.run", range(3, 9))
    reader.Reload()
    reader.Reload()
    fresh = EventAccumulator(str(run))
    fresh.Reload()
    return before, reader.Scalars("loss")[-1].step, fresh.Scalars("loss")[-1].step

removed = seen_after_a_restart("removed", True)
emptied = seen_after_a_restart("emptied", False)
print("tensorboard", tensorboard.__version__)
print("last step before, after the restart, and to a new reader")
print("old file removed:", *removed)
print("old file emptied:", *emptied)
assert removed == (4, 4, 8), removed
assert emptied == (4, 8, 8), emptied
PYTHON
echo "as described"
