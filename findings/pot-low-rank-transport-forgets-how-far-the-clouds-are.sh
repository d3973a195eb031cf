#!/bin/sh
# POT 0.9.7.post1 (PyPI, Python 3.11): ot.solve_sample(x, y, method=...) has one field `value` for
# all of its methods. By "lowrank", the one for clouds too large for a matrix of costs, it has no
# unit: costs are divided by the length of the longest row of x times that of the longest row of
# y, and never multiplied back. Clouds a hundred times as large, and as far apart, have the same
# value to 14 digits, where the squared distance is 10,000 times as large; and one long row makes
# all the others seem near. The plan is sound: its own cost is within a fifth of the best. Beside
# it "sliced" is a distance and grows a hundredfold, while the default and "gaussian" are squares:
# three units in one field.
#
# Guessed beforehand: a low rank makes the value somewhat too large, in the unit of the others.
# Why it matters: hidden states grow from layer to layer and while a student learns, and GPT-2
# gives the first token of a window a state many times as long as all others. Layers, steps and
# models cannot be compared by this number, and a student seems near that only has one long state.
# What it means here: kdpipe has no transport of low rank. What it is held against in POT are one
# dimension, Bures, Sinkhorn and slices, and of the two that are roots the square is taken.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "POT==0.9.7.post1" "numpy==2.4.6" "scipy==1.17.1"
OMP_NUM_THREADS=1 "$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import numpy
import ot

draws = numpy.random.default_rng(0)
student = draws.normal(size=(200, 8))
teacher = draws.normal(size=(200, 8)) * 1.5 + 2

def values(x, y):
    by = {method: float(ot.solve_sample(x, y, method=method, random_state=0).value)
          for method in (None, "gaussian", "sliced")}
    found = ot.solve_sample(x, y, method="lowrank", rank=50)
    by["lowrank"] = float(found.value)
    by["cost of its plan"] = float((found.plan * ot.dist(x, y)).sum())
    return by

one = values(student, teacher)
hundred = values(100 * student, 100 * teacher)
for cloud in (student, teacher):
    cloud[0] *= 100
longest = values(student, teacher)

print("POT", ot.__version__)
print("clouds of 200        as they are    100 times as large    the first row 100 times as long")
for method in one:
    numbers = f"{one[method]:14.6g} {hundred[method]:21.6g} {longest[method]:31.6g}"
    print(f"{method or 'exact (default)':17} {numbers}")
grows = {method: hundred[method] / one[method] for method in one}
for method in (None, "gaussian", "cost of its plan"):
    assert abs(grows[method] - 1e4) < 100, grows
assert abs(grows["sliced"] - 100) < 1, grows
assert abs(grows["lowrank"] - 1) < 1e-6, grows
assert one["cost of its plan"] < 1.3 * one[None], one
assert one["lowrank"] < one[None] / 20, one
assert longest[None] > one[None] and longest["lowrank"] < one["lowrank"] / 5, (one, longest)
PYTHON
echo "as described"
