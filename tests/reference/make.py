"""Writes the reference arrays of this folder with PyTorch and transformers; README.md says what each file holds.

Everything is computed twice from the same f32 inputs: in float64, which is what the files hold (arrays rounded to f32, numbers in full), and in float32, whose distance from
float64 is recorded as `float32_deviation`, so that a tolerance can be judged. The script refuses to write when PyTorch's own float32 is further off than LIMIT.

    python make.py [FOLDER]
"""

import copy
import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F
import transformers
from transformers import GPT2Config, GPT2LMHeadModel
from safetensors.torch import save

from definitions import (
    SHAPES, VOCABULARY, POSITIONS, Critic, Stream, critic_weights, distance, forward, generator, gpt2, kl, language_model_loss, leaf, normal, standardize,
    tokens_with_a_pattern, weights,
)

BATCH, CONTEXT = 3, 12
LIMIT = 2e-5  # largest float32 deviation, relative to an array's largest entry
ROUNDING = 1e-300  # keeps a zero array from a division by zero


# ------------------------------------------------------------------------------------------------------------------------------------------------ writing


class Record:
    """What a file will hold: given inputs, and values that were computed at some precision."""

    def __init__(self):
        self.inputs, self.arrays, self.numbers = {}, {}, {}

    def input(self, name, array):
        self.inputs[name] = array.clone()

    def array(self, name, array):
        self.arrays[name] = array.detach().clone()


def deviation(value, reference):
    value, reference = (torch.as_tensor(x, dtype=torch.float64) for x in (value, reference))
    return float((value - reference).abs().max() / reference.abs().max().clamp_min(ROUNDING))


def compare(name, single, double):
    """Largest float32 deviation of the arrays and of the numbers, each list of numbers as one array."""

    def walk(a, b, path):
        if isinstance(a, dict):
            return [entry for key in a for entry in walk(a[key], b[key], f"{path}.{key}")]
        return [] if isinstance(a, str) or isinstance(a, list) and a and isinstance(a[0], int) else [(deviation(a, b), path)]

    arrays = max(((deviation(single.arrays[key], double.arrays[key]), key) for key in double.arrays), default=(0.0, ""))
    numbers = max(walk(single.numbers, double.numbers, ""), default=(0.0, ""))
    print(f"{name:24} float32 deviation: arrays {arrays[0]:.1e} ({arrays[1]}), numbers {numbers[0]:.1e} ({numbers[1]})")
    assert arrays[0] < LIMIT and numbers[0] < LIMIT, "badly conditioned: choose another seed"
    return {"arrays": float(f"{arrays[0]:.1e}"), "numbers": float(f"{numbers[0]:.1e}")}


def stored(array):
    return (array.to(torch.int32) if array.dtype == torch.int64 else array.to(torch.float32)).contiguous()


def write(folder, name, make, settings=None):
    """Runs `make(record, dtype)` in float64 and float32 and writes NAME.safetensors and NAME.json."""
    double, single = Record(), Record()
    make(double, torch.float64)
    make(single, torch.float32)
    found = compare(name, single, double)
    arrays = {**double.inputs, **double.arrays}
    if arrays:
        (folder / f"{name}.safetensors").write_bytes(save({key: stored(arrays[key]) for key in sorted(arrays)}))
    if double.numbers or settings:
        text = json.dumps({**(settings or {}), **double.numbers, "float32_deviation": found}, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n")


# --------------------------------------------------------------------------------------------------------------------------------------------- the files


def record_step(record, model, named, inputs, targets):
    """Logits, hidden states, the language-model loss and its gradient for every parameter in `named`."""
    record.input("inputs", inputs)
    record.input("targets", targets)
    logits, states = forward(model, inputs)
    loss = language_model_loss(logits, targets)
    loss.backward()
    record.numbers["loss"] = loss.item()
    record.array("logits", logits)
    for state, array in states.items():
        record.array(f"state.{state}", array)
    for key, parameter in named.items():
        record.array(f"gradient.{key}", parameter.grad)


def make_model(name, model, tokens):
    inputs, targets = tokens[:, :-1], tokens[:, 1:]

    def make(record, dtype):
        own = copy.deepcopy(model).to(dtype)
        for key, parameter in weights(model).items():
            record.input(f"weight.{key}", parameter.detach())
        record_step(record, own, weights(own), inputs, targets)

    layers, width, heads = SHAPES[name]
    config = {"layers": layers, "width": width, "heads": heads, "vocabulary": VOCABULARY, "positions": POSITIONS}
    return make, {"config": config, "batch": BATCH, "context": CONTEXT}


LOGIT_TERMS = {
    "lm": [("lm", None, 1.0)],
    "kl.forward": [("forward", 2.5, 1.0)],
    "kl.reverse": [("reverse", 2.5, 1.0)],
    "mixture": [("lm", None, 0.5), ("forward", 2.5, 0.3), ("reverse", 1.0, 0.2)],
}


def make_logits(record, dtype):
    """Values and gradients of the logit terms for final states (N, C) and heads (V, C); `large` reaches logits of about ±150."""
    tokens, student_width, teacher_width = 23, SHAPES["student"][1], SHAPES["teacher"][1]
    for scale, factor in {"ordinary": 1.0, "large": 30.0}.items():
        random = generator(20)
        given = {
            "student.hidden": normal(random, tokens, student_width, scale=factor),
            "student.head": normal(random, VOCABULARY, student_width, scale=0.4),
            "teacher.hidden": normal(random, tokens, teacher_width, scale=factor),
            "teacher.head": normal(random, VOCABULARY, teacher_width, scale=0.4),
        }
        targets = torch.randint(0, VOCABULARY, (tokens,), generator=random)
        for key, array in given.items():
            record.input(f"{scale}.{key}", array)
        record.input(f"{scale}.targets", targets)
        for name, terms in LOGIT_TERMS.items():
            hidden, head = leaf(given["student.hidden"], dtype), leaf(given["student.head"], dtype)
            logits, teacher = hidden @ head.T, given["teacher.hidden"].to(dtype) @ given["teacher.head"].to(dtype).T
            values = [language_model_loss(logits, targets) if kind == "lm" else kl(logits, teacher, tau, kind) for kind, tau, _ in terms]
            loss = sum(weight * value for value, (_, _, weight) in zip(values, terms))
            loss.backward()
            record.numbers.setdefault(scale, {})[name] = {"loss": loss.item(), "terms": [value.item() for value in values]}
            record.array(f"{scale}.{name}.gradient.hidden", hidden.grad)
            record.array(f"{scale}.{name}.gradient.head", head.grad)


def make_hidden(record, dtype):
    """Values and gradients of the distances of hidden states for x (N, C) and target (N, C), which has two outlier coordinates as GPT-2's states have; `projected` is MSE of h·W + b."""
    tokens, own_width, width = 23, SHAPES["student"][1], SHAPES["teacher"][1]
    random = generator(30)
    given = {"x": normal(random, tokens, width), "target": normal(random, tokens, width)}
    given["x"] += 0.6 * given["target"]
    given["target"][:, 5] += 8.0
    given["target"][:, 17] -= 20.0
    given |= {"h": normal(random, tokens, own_width), "weight": normal(random, own_width, width, scale=0.25), "bias": normal(random, width, scale=0.1)}
    for name, array in given.items():
        record.input(name, array)
    for states, prepare in {"raw": lambda x: x, "layernorm": standardize}.items():
        for kind in ["mse", "mse.normalize", "cosine"]:
            x = leaf(given["x"], dtype)
            loss = distance(kind, prepare(x), prepare(given["target"].to(dtype)))
            loss.backward()
            record.numbers[f"{states}.{kind}"] = loss.item()
            record.array(f"{states}.{kind}.gradient", x.grad)
        h, weight, bias = (leaf(given[key], dtype) for key in ["h", "weight", "bias"])
        loss = distance("mse", prepare(h @ weight + bias), prepare(given["target"].to(dtype)))
        loss.backward()
        record.numbers[f"{states}.projected"] = loss.item()
        for name, array in {"h": h, "weight": weight, "bias": bias}.items():
            record.array(f"{states}.projected.gradient.{name}", array.grad)


CRITIC = {"width": 12, "depth": 2, "slope": 0.2, "penalty": 10.0, "clip": 0.01, "lr": 1e-3, "betas": [0.0, 0.9]}


def make_critic(record, dtype):
    """Five updates of each kind of critic, then the student's term on the first batch and its gradient."""
    tokens, width, updates = 40, SHAPES["teacher"][1], 5
    random = generator(3000)
    shift = normal(random, width)
    batches = []
    for update in range(updates):
        student = normal(random, tokens, width)
        batches.append((student, normal(random, tokens, width, scale=1.3) + shift, torch.rand(tokens, generator=random)))
        for name, array in zip(["student", "teacher", "epsilon"], batches[-1]):
            record.input(f"batch.{update}.{name}", array)
    initial = critic_weights(41, width, CRITIC["width"], CRITIC["depth"], gain=2.5)
    for lipschitz in ["gradient-penalty", "spectral", "clip"]:
        arrays = initial
        if lipschitz == "clip":  # within the bound, and with biases so small that no unit of the second layer stays on one side of its kink
            arrays = {name: ((0.02 if "weight" in name else 1e-4) * array).clamp(-CRITIC["clip"], CRITIC["clip"]) for name, array in initial.items()}
        vectors = {}
        if lipschitz == "spectral":
            matrices = [array for name, array in arrays.items() if name.endswith(".weight")]
            for i, matrix in enumerate(matrices):
                vectors[f"{i}.u"] = F.normalize(normal(random, matrix.shape[0]), dim=0)
                vectors[f"{i}.v"] = F.normalize(normal(random, matrix.shape[1]), dim=0)
        for name, array in {**arrays, **{f"spectral.{name}": vector for name, vector in vectors.items()}}.items():
            record.input(f"{lipschitz}.initial.{name}", array)
        critic = Critic(arrays, vectors, {**CRITIC, "lipschitz": lipschitz}, dtype)
        reports = []
        for update, (student, teacher, epsilon) in enumerate(batches):
            reports.append(critic.update(student.to(dtype), teacher.to(dtype), epsilon.to(dtype)))
            for name, array in critic.parameters.items():
                record.array(f"{lipschitz}.after.{update}.{name}", array)
        for name, vector in critic.vectors.items():
            record.array(f"{lipschitz}.after.{updates - 1}.spectral.{name}", vector)
        student, teacher = leaf(batches[0][0], dtype), batches[0][1].to(dtype)
        term = critic.term(student, teacher)
        (gradient,) = torch.autograd.grad(term, student)
        record.array(f"{lipschitz}.term.gradient", gradient)
        estimates, penalties, slopes = (list(column) for column in zip(*reports))
        record.numbers[lipschitz] = {"estimate": estimates, "penalty": penalties, "gradient_norm": slopes, "term": term.item()}


# Tokens from the start of the text, context and stride: side by side, overlapping, one by one, all of the positions and few, longer than the text, and as short as can be.
WINDOWS = [
    (100, 16, 16), (100, 16, 8), (100, 12, 5), (100, 16, 1), (100, 16, 15), (100, 5, 5), (100, 2, 2), (100, 2, 1), (97, 16, 16), (10, 16, 16), (10, 16, 3), (16, 16, 4), (17, 16, 4),
    (2, 16, 16), (2, 2, 1),
]
LONG = 200


def with_positions(model, positions):
    """The model with its learned positions again and again, each time one column further and all five times as large, so that the text depends on
    where it is: a longer context without more weights to store."""
    longer = GPT2LMHeadModel(GPT2Config(**{**model.config.to_dict(), "n_positions": positions}))
    state = model.state_dict()
    own = state["transformer.wpe.weight"]
    state["transformer.wpe.weight"] = torch.cat([5 * own.roll(turn, 1) for turn in range(positions // POSITIONS)])
    longer.load_state_dict(state)
    return longer.eval()


def make_text(model):
    """Negative log-likelihoods by sliding windows, the greedy continuation of a prompt as far as the positions reach, and a long one at more positions."""
    text = tokens_with_a_pattern(50, 100)

    def make(record, dtype):
        own = copy.deepcopy(model).to(dtype)
        record.numbers["text"] = text.tolist()
        with torch.no_grad():
            for count, context, stride in WINDOWS:
                positions, nll, begin, end = [], [], 0, 0
                while end < count:
                    before, end = end, min(begin + context, count)
                    logits, _ = forward(own, text[None, begin:end])
                    scores = F.log_softmax(logits[0], -1)
                    for position in range(max(begin + 1, before), end):
                        positions.append(position)
                        nll.append(-scores[position - 1 - begin, text[position]].item())
                    begin += stride
                summary = {"positions": positions, "nll": nll, "nll_per_token": sum(nll) / len(nll)}
                record.numbers[f"windows.{count}.{context}.{stride}"] = summary
            sequence, margins = text[12:16].tolist(), []
            while len(sequence) <= POSITIONS:
                logits, _ = forward(own, torch.tensor([sequence]))
                best = logits[0, -1].topk(2)
                margins.append((best.values[0] - best.values[1]).item())
                sequence.append(best.indices[0].item())
            record.numbers["greedy"] = {"prompt": sequence[:4], "continuation": sequence[4:], "smallest_margin": min(margins)}

            longer = with_positions(model, 256).to(dtype)
            longer.generation_config.eos_token_id = None
            prompt = text[30:33]
            found = longer.generate(prompt[None], attention_mask=torch.ones(1, 3), do_sample=False, max_new_tokens=LONG, use_cache=True, pad_token_id=0)[0]
            best = forward(longer, found[None])[0][0, 2:-1].topk(2).values
            margin = float(f"{(best[:, 0] - best[:, 1]).min().item():.1e}")
            record.numbers["long"] = {"positions": 256, "prompt": prompt.tolist(), "continuation": found[3:].tolist(), "smallest_margin": margin}
            assert len(found) == 3 + LONG and margin > 1e-3 and len(set(found.tolist())) > 20, (margin, len(set(found.tolist())))

    return make


# ---------------------------------------------------------------------------------------------------------------------------------------------- trainings

STEPS, ACCUMULATE, WARMUP, PEAK, FLOOR = 10, 2, 3, 5e-3, 0.1
TRAIN = {
    "steps": STEPS, "batch": BATCH, "context": CONTEXT, "accumulate": ACCUMULATE, "shuffle": False,
    "lr": {"peak": PEAK, "warmup": WARMUP, "decay": "cosine", "floor": f"{FLOOR:.0%}"},
    "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.1, "clip": 1.0, "keep": "last", "checkpoint_every": 0, "evaluate_every": 0,
}
TRAININGS = {
    "mse": {
        "loss": {
            "hidden": {"kind": "hidden.mse", "weight": 1.0, "states": "raw", "normalize": False},
            "kl": {"kind": "logits.kl", "weight": 0.5, "temperature": 2.0, "direction": "forward"},
            "lm": {"kind": "lm", "weight": 0.5},
        },
        "pairs": [[1, 2], [2, 4]],
    },
    "cosine": {
        "loss": {
            "hidden": {"kind": "hidden.cosine", "weight": 2.0, "states": "layernorm"},
            "kl": {"kind": "logits.kl", "weight": 1.0, "temperature": 1.5, "direction": "reverse"},
        },
        "pairs": [[1, 3], ["final", "final"]],
    },
    "lm": {"loss": {"lm": {"kind": "lm", "weight": 1.0}}, "pairs": []},
    "critic": {
        "loss": {
            "hidden": {
                "kind": "hidden.wasserstein", "weight": 3.0, "states": "layernorm",
                "critic": {
                    "width": 12, "depth": 2, "steps": 2, "slope": 0.2, "lipschitz": "gradient-penalty", "penalty": 10.0,
                    "lr": 5e-3, "betas": [0.0, 0.9], "warmup": 0,
                },
            },
            "lm": {"kind": "lm", "weight": 0.5},
        },
        "pairs": [[1, 2], [2, 4]],
    },
}
SEED = 3  # of the program's own streams, for the critics' interpolation weights


def learning_rate(step):
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    x = (step - WARMUP + 1) / (STEPS - WARMUP)
    return PEAK * (FLOOR + (1.0 - FLOOR) * (1.0 + math.cos(math.pi * x)) / 2.0)


def decays(name):
    """Matrices do; biases and layer norms do not."""
    return name.endswith(".weight") and "ln_" not in name


def make_training(name, student, teacher):
    case = TRAININGS[name]
    role = "teacher" if name == "lm" else "student"
    terms, pairs = case["loss"], case["pairs"]
    stream = tokens_with_a_pattern(60, STEPS * ACCUMULATE * BATCH * CONTEXT + 1)
    random = generator(61)
    own_width, width = SHAPES["student"][1], SHAPES["teacher"][1]
    projections, critics = {}, {}
    for own, _ in pairs:
        for part, shape in {"weight": (own_width, width), "bias": (width,)}.items():
            projections[f"projection.hidden.{own}.{part}"] = (2.0 * torch.rand(*shape, generator=random) - 1.0) / math.sqrt(own_width)
        if name == "critic":
            critics[own] = critic_weights(10670 + own, width, 12, 2)

    def window(position):
        return stream[position * CONTEXT : (position + 1) * CONTEXT + 1]

    def make(record, dtype):
        model = copy.deepcopy(teacher if role == "teacher" else student).to(dtype)
        guide = copy.deepcopy(teacher).to(dtype)
        parameters = {**weights(model), **{key: leaf(array, dtype) for key, array in projections.items()}}
        record.input("stream", stream)
        for key, array in projections.items():
            record.input(f"initial.{key}", array)
        for own, arrays in critics.items():
            for key, array in arrays.items():
                record.input(f"initial.critic.hidden.{own}.{key}", array)
        judges = {}
        for own, arrays in critics.items():
            judges[own] = Critic(arrays, {}, {**terms["hidden"]["critic"]}, dtype)
        groups = [
            {"params": [p for key, p in parameters.items() if decays(key)], "weight_decay": TRAIN["weight_decay"]},
            {"params": [p for key, p in parameters.items() if not decays(key)], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=PEAK, betas=tuple(TRAIN["betas"]), eps=TRAIN["eps"])

        prepare = standardize if any(term.get("states") == "layernorm" for term in terms.values()) else lambda x: x

        def projected(own, states):
            x = states[own].reshape(-1, own_width)
            return x @ parameters[f"projection.hidden.{own}.weight"] + parameters[f"projection.hidden.{own}.bias"]

        def value(key, term, logits, states, targets, guide_logits, guide_states, readings):
            if term["kind"] == "lm":
                return language_model_loss(logits, targets)
            if term["kind"] == "logits.kl":
                return kl(logits, guide_logits, term["temperature"], term["direction"])
            values = []
            for own, other in pairs:
                x, target = prepare(projected(own, states)), prepare(guide_states[other].reshape(-1, width))
                if term["kind"] == "hidden.wasserstein":
                    values.append(judges[own].term(x, target))
                    readings.setdefault(f"critic.{key}.{own}.estimate", []).append(values[-1].item())
                else:
                    values.append(distance(term["kind"].removeprefix("hidden."), x, target))
            return sum(values) / len(values)

        rows = []
        for step in range(STEPS):
            row = {"lr": learning_rate(step), "loss": 0.0, **{f"term.{key}": 0.0 for key in terms}}
            optimizer.zero_grad()
            for micro in range(ACCUMULATE):
                first = (step * ACCUMULATE + micro) * BATCH
                batch = torch.stack([window(first + i) for i in range(BATCH)])
                inputs, targets = batch[:, :-1], batch[:, 1:]
                logits, states = forward(model, inputs)
                with torch.no_grad():
                    guide_logits, guide_states = forward(guide, inputs)
                if micro == 0:
                    for own, other in pairs if judges else []:
                        settings = terms["hidden"]["critic"]
                        x, target = prepare(projected(own, states)).detach(), prepare(guide_states[other].reshape(-1, width))
                        for update in range(settings["steps"]):
                            draws = Stream(SEED, f"critic.epsilon.hidden.{own}", step * settings["steps"] + update)
                            epsilon = torch.tensor([draws.uniform() for _ in range(BATCH * CONTEXT)], dtype=torch.float32)
                            _, penalty, slope = judges[own].update(x, target, epsilon.to(dtype))
                            row[f"critic.hidden.{own}.penalty"], row[f"critic.hidden.{own}.gradient_norm"] = penalty, slope
                readings, loss = {}, 0.0
                for key, term in terms.items():
                    found = value(key, term, logits, states, targets, guide_logits, guide_states, readings)
                    row[f"term.{key}"] += found.item() / ACCUMULATE
                    loss = loss + term["weight"] * found
                for key, found in readings.items():
                    row[key] = row.get(key, 0.0) + sum(found) / ACCUMULATE
                (loss / ACCUMULATE).backward()
                row["loss"] += loss.item() / ACCUMULATE
            row["gradient_norm"] = torch.nn.utils.clip_grad_norm_(parameters.values(), TRAIN["clip"]).item()
            for group in optimizer.param_groups:
                group["lr"] = row["lr"]
            optimizer.step()
            rows.append(row)
        record.numbers["rows"] = {key: [row[key] for row in rows] for key in sorted(rows[0])}
        for key, parameter in parameters.items():
            # A bias of the keys shifts all scores of a query alike: its gradient is rounding, which Adam blows up, without any effect.
            if key.endswith("c_attn.bias"):
                size = parameter.shape[0] // 3
                record.array(f"final.{key}", torch.cat([parameter[:size], parameter[2 * size :]]))
            else:
                record.array(f"final.{key}", parameter)
        for own, judge in judges.items():
            for key, array in judge.parameters.items():
                record.array(f"final.critic.hidden.{own}.{key}", array)

    return make, {"model": role, "seed": SEED, "train": TRAIN, "match": {"strategy": "pairs", "pairs": pairs}, "loss": terms}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    teacher, student = gpt2("teacher", 10), gpt2("student", 11)
    tokens = tokens_with_a_pattern(12, BATCH * (CONTEXT + 1)).reshape(BATCH, CONTEXT + 1)
    for name, model in {"teacher": teacher, "student": student}.items():
        make, settings = make_model(name, model, tokens)
        write(folder, name, make, settings)
    write(folder, "logits", make_logits)
    write(folder, "hidden", make_hidden)
    write(folder, "critic", make_critic, {"settings": CRITIC})
    write(folder, "text", make_text(teacher))
    for name in TRAININGS:
        make, settings = make_training(name, student, teacher)
        write(folder, f"training-{name}", make, settings)


if __name__ == "__main__":
    main()
