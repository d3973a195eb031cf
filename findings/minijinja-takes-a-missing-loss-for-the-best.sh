#!/bin/sh
# minijinja 2.24.0 (PyPI, the crate of that version) beside Jinja2 3.1.6 (Python 3.11): what is
# none is less than every number. In rows of results of which one has no loss, as all of its runs
# diverged, the first by `sort(attribute="nll")`, the least by `min`, what `selectattr("nll",
# "lt", 0.5)` lets through and what `{% if row.nll < 0.5 %}` is true of is the row without a loss.
# Jinja2 ends each of the four with a TypeError. The mode "strict", which is there to find what is
# missing, changes nothing of it, and in `sort` it lets through even an attribute that no row has:
# the order stays that of the rows.
#
# Guessed beforehand: an error as in Jinja2, whose language it is; in the strict mode certainly.
# Why it matters: the best row of a table is marked by one of these four, and the one that is
# marked is the one that failed. The page looks as it should.
# What it means here: the templates of kdpipe's reports are minijinja's, in that mode, and a
# setting without a finished run has `nll` none. A template of one's own takes `selectattr("nll",
# "number")` before it sorts.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "minijinja==2.24.0" "Jinja2==3.1.6"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
import jinja2
import minijinja

rows = [
    {"arm": "mse", "nll": 0.83},
    {"arm": "critic, diverged", "nll": None},
    {"arm": "logits", "nll": 0.81},
]
NUMBERS = '(rows | selectattr("nll", "number") | sort(attribute="nll") | first).arm'
TEMPLATES = {
    "sort": '{{ (rows | sort(attribute="nll") | first).arm }}',
    "min": '{{ rows | map(attribute="nll") | min }}',
    "selectattr": '{{ rows | selectattr("nll", "lt", 0.5) | map(attribute="arm") | join }}',
    "if": '{% for row in rows %}{% if row.nll < 0.5 %}{{ row.arm }}{% endif %}{% endfor %}',
    "no such attribute": '{{ (rows | sort(attribute="loss") | first).arm }}',
    "numbers alone": "{{ " + NUMBERS + " }}",
}

def seen(render, template):
    try:
        return render(template)
    except Exception as error:
        return type(error).__name__

strict = minijinja.Environment(undefined_behavior="strict")
lenient = minijinja.Environment()
python = jinja2.Environment(undefined=jinja2.StrictUndefined)
print("minijinja", version("minijinja"), "Jinja2", version("Jinja2"))
found = {}
for name, template in TEMPLATES.items():
    found[name] = tuple(seen(render, template) for render in (
        lambda text: lenient.render_str(text, rows=rows),
        lambda text: strict.render_str(text, rows=rows),
        lambda text: python.from_string(text).render(rows=rows),
    ))
    by, by_strict, by_jinja = found[name]
    print(f"{name + ':':19} minijinja {by}; strict {by_strict}; Jinja2 {by_jinja}")
lost = "critic, diverged"
assert all(found[name] == (lost, lost, "TypeError") for name in ("sort", "selectattr", "if")), found
assert found["min"] == ("None", "None", "TypeError"), found
assert found["no such attribute"] == ("mse", "mse", "UndefinedError"), found
assert found["numbers alone"] == ("logits",) * 3, found
PYTHON
echo "as described"
