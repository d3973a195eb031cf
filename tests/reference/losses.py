"""Writes losses.safetensors and losses.json: values and gradients of the losses that came after make.py's, in float64.

Gradients are PyTorch's, of the formulas below. Their values must be those of a library that others wrote, where there is one, to AGREE, or the script stops: POT (sliced, Gaussian and entropic
transport), scikit-learn (RBF kernels), scipy (pairwise distances, entropies). README.md says what the files hold.

    python losses.py [FOLDER]
"""

import json
import math
import pathlib
import sys

import numpy as np
import ot
import torch
from safetensors.torch import save
from scipy.spatial.distance import cdist, jensenshannon
from scipy.special import rel_entr
from sklearn.metrics.pairwise import rbf_kernel

AGREE = 1e-6
TOKENS, WIDTH, OTHER_WIDTH, VOCABULARY, DIRECTIONS = 48, 12, 9, 61, 16
EPSILON = 0.2  # of the transport, as a share of the median cost
RIDGE = 1e-4
CONTEXT, HEADS = 12, 3  # of attention; TOKENS are four sequences


def generator(seed):
    return torch.Generator().manual_seed(seed)


def normal(random, *shape, scale=1.0):
    return scale * torch.randn(*shape, generator=random)


# ------------------------------------------------------------------------------------------------------------------------------------- predictions


def softmax_pair(logits, teacher, tau):
    return torch.log_softmax(teacher / tau, -1), torch.log_softmax(logits / tau, -1)


def divergence(p, q):
    return (p.exp() * (p - q)).sum(-1).mean()


def mixed(p, q, share):
    return torch.logaddexp(p + math.log(share), q + math.log(1 - share))


def skew(logits, teacher, tau, alpha, reverse):
    p, q = softmax_pair(logits, teacher, tau)
    if reverse:
        p, q = q, p
    return tau**2 * divergence(p, mixed(p, q, alpha))


def js(logits, teacher, tau):
    p, q = softmax_pair(logits, teacher, tau)
    middle = mixed(p, q, 0.5)
    return tau**2 * 0.5 * (divergence(p, middle) + divergence(q, middle))


def tv(logits, teacher, tau):
    p, q = softmax_pair(logits, teacher, tau)
    return 0.5 * (p.exp() - q.exp()).abs().sum(-1).mean()


def sorted_probabilities(logits, teacher, tau):
    p, q = softmax_pair(logits, teacher, tau)
    return (p.exp().sort(-1, descending=True).values - q.exp().sort(-1, descending=True).values).abs().sum(-1).mean()


PREDICTIONS = {
    "logits.kl.skew": lambda s, t: skew(s, t, 1.5, 0.1, False),
    "logits.kl.skew.reverse": lambda s, t: skew(s, t, 1.5, 0.1, True),
    "logits.js": lambda s, t: js(s, t, 2.0),
    "logits.tv": lambda s, t: tv(s, t, 2.0),
    "logits.mse": lambda s, t: ((s - t) ** 2).mean(),
    "logits.wasserstein": lambda s, t: sorted_probabilities(s, t, 2.0),
}


def predictions_elsewhere(student, teacher):
    """By scipy and POT."""
    p, q = (lambda tau: (torch.softmax(teacher / tau, -1).numpy(), torch.softmax(student / tau, -1).numpy()))(1.5)
    found = {"logits.kl.skew": 1.5**2 * rel_entr(p, 0.1 * p + 0.9 * q).sum(-1).mean(), "logits.kl.skew.reverse": 1.5**2 * rel_entr(q, 0.1 * q + 0.9 * p).sum(-1).mean()}
    p, q = torch.softmax(teacher / 2, -1).numpy(), torch.softmax(student / 2, -1).numpy()
    found["logits.js"] = 4.0 * np.mean([jensenshannon(a, b) ** 2 for a, b in zip(p, q)])
    found["logits.tv"] = np.mean([0.5 * cdist(a[None], b[None], "cityblock")[0, 0] for a, b in zip(p, q)])
    # ULD is V times the one-dimensional W1 between the probabilities as points.
    found["logits.wasserstein"] = np.mean([len(a) * ot.wasserstein_1d(a, b, p=1) for a, b in zip(p, q)])
    return found


# ------------------------------------------------------------------------------------------------------------------------------------------ clouds


def squares(x, y):
    return ((x[:, None] - y[None]) ** 2).sum(-1)


def off_diagonal(matrix):
    return (matrix.sum() - matrix.diagonal().sum()) / (len(matrix) * (len(matrix) - 1))


def sliced(x, y, directions):
    return ((x @ directions.T).sort(0).values - (y @ directions.T).sort(0).values).pow(2).mean()


def energy(x, y):
    root = lambda a, b: (squares(a, b) + 1e-8).sqrt()
    return 2 * root(x, y).mean() - off_diagonal(root(x, x)) - off_diagonal(root(y, y))


def middle(x, y):
    return float(np.median(squares(x, y).detach().numpy()))


def mmd(x, y):
    median = middle(x, y)
    kernel = lambda a, b: sum(torch.exp(-squares(a, b) / (s * median)) for s in [0.25, 0.5, 1, 2, 4]) / 5
    return off_diagonal(kernel(x, x)) + off_diagonal(kernel(y, y)) - 2 * kernel(x, y).mean()


def covariance(x):
    centred = x - x.mean(0)
    return centred.T @ centred / len(x) + RIDGE * torch.eye(x.shape[1], dtype=x.dtype)


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T


def gaussian(x, y):
    a, b = covariance(x), covariance(y)
    half = root(b)
    return (x.mean(0) - y.mean(0)).pow(2).sum() + a.trace() + b.trace() - 2 * torch.linalg.eigvalsh(half @ a @ half).sqrt().sum()


def transport(x, y, epsilon):
    """The optimum and, as the gradient of ⟨P, C⟩ with P fixed, its gradient."""
    cost = squares(x, y)
    f, g = torch.zeros(len(x), dtype=x.dtype), torch.zeros(len(y), dtype=y.dtype)
    with torch.no_grad():
        for _ in range(3_000):
            f = -epsilon * (torch.logsumexp((g[None] - cost) / epsilon, 1) - math.log(len(y)))
            g = -epsilon * (torch.logsumexp((f[:, None] - cost) / epsilon, 0) - math.log(len(x)))
        plan = ((f[:, None] + g[None] - cost) / epsilon).exp() / (len(x) * len(y))
        regular = epsilon * (plan * (plan * len(x) * len(y)).log()).sum()
    return (plan * cost).sum() + regular


def sinkhorn(x, y):
    epsilon = EPSILON * middle(x, y)
    return transport(x, y, epsilon) - 0.5 * transport(x, x, epsilon) - 0.5 * transport(y, y, epsilon)


def cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return 1 - (y.T @ x).pow(2).sum() / ((x.T @ x).norm() * (y.T @ y).norm())


def clouds_elsewhere(x, y, directions):
    """By POT, scikit-learn and scipy."""
    x, y, directions = x.numpy(), y.numpy(), directions.numpy()
    count = len(x)
    uniform = np.full(count, 1 / count)
    mean = lambda matrix: matrix.mean()
    within = lambda matrix: (matrix.sum() - np.trace(matrix)) / (count * (count - 1))
    found = {"hidden.sliced-wasserstein": ot.sliced_wasserstein_distance(x, y, projections=directions.T, p=2) ** 2}
    found["hidden.energy"] = 2 * mean(cdist(x, y)) - within(cdist(x, x)) - within(cdist(y, y))
    median = np.median(cdist(x, y, "sqeuclidean"))
    kernel = lambda a, b: sum(rbf_kernel(a, b, gamma=1 / (s * median)) for s in [0.25, 0.5, 1, 2, 4]) / 5
    found["hidden.mmd"] = within(kernel(x, x)) + within(kernel(y, y)) - 2 * mean(kernel(x, y))
    ridge = RIDGE * np.eye(x.shape[1])
    biased = lambda cloud: np.cov(cloud.T, bias=True) + ridge
    found["hidden.gaussian-w2"] = ot.gaussian.bures_wasserstein_distance(x.mean(0), y.mean(0), biased(x), biased(y)) ** 2

    def optimum(a, b):
        # POT's value leaves out the divergence, which is added here.
        cost, epsilon = ot.dist(a, b), EPSILON * median
        plan = ot.sinkhorn(uniform, uniform, cost, epsilon, method="sinkhorn_log", numItermax=5_000, stopThr=1e-11)
        return (plan * cost).sum() + epsilon * rel_entr(plan, np.outer(uniform, uniform)).sum()

    found["hidden.sinkhorn"] = optimum(x, y) - 0.5 * optimum(x, x) - 0.5 * optimum(y, y)
    return found


# --------------------------------------------------------------------------------------------------------------------------------------- attention


def scores(qkv):
    """Of every sequence and head, masked; the scale is 1/√d."""
    width = qkv.shape[1] // 3
    head = width // HEADS
    queries, keys, _ = (part.reshape(-1, CONTEXT, HEADS, head).transpose(1, 2) for part in qkv.split(width, 1))
    mask = torch.full((CONTEXT, CONTEXT), -torch.inf, dtype=qkv.dtype).triu(1)
    return queries @ keys.transpose(2, 3) / math.sqrt(head) + mask


def attention(student, teacher):
    p, q = torch.log_softmax(scores(teacher), -1), torch.log_softmax(scores(student), -1)
    seen = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).tril()
    terms = torch.where(seen, p.exp() * (torch.where(seen, p, 0) - torch.where(seen, q, 0)), 0)
    return terms.sum(-1).mean()


def attention_elsewhere(student, teacher):
    """By scipy, of the probabilities that PyTorch's own attention reads out of an identity as values."""

    def probabilities(qkv):
        width = qkv.shape[1] // 3
        queries, keys, _ = (part.reshape(-1, CONTEXT, HEADS, width // HEADS).transpose(1, 2) for part in qkv.split(width, 1))
        identity = torch.eye(CONTEXT, dtype=qkv.dtype).expand(len(queries), HEADS, CONTEXT, CONTEXT)
        return torch.nn.functional.scaled_dot_product_attention(queries, keys, identity, is_causal=True).numpy()

    return {"attention.kl": rel_entr(probabilities(teacher), probabilities(student)).sum(-1).mean()}


# ----------------------------------------------------------------------------------------------------------------------------------------- writing


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    arrays, values = {}, {}

    random = generator(71)
    # A quarter of the logits' scale is common, so that the predictions are neither equal nor apart.
    student = normal(random, TOKENS, VOCABULARY, scale=2.0)
    teacher = 0.5 * student + normal(random, TOKENS, VOCABULARY, scale=1.5)
    arrays |= {"student": student, "teacher": teacher}
    elsewhere = predictions_elsewhere(student.double(), teacher.double())
    for name, loss in PREDICTIONS.items():
        logits = student.double().requires_grad_()
        value = loss(logits, teacher.double())
        value.backward()
        values[name], arrays[f"{name}.gradient"] = value.item(), logits.grad

    random = generator(72)
    y = normal(random, TOKENS, WIDTH)
    y[:, 3] = 4 * y[:, 3] + 6
    x = 0.7 * y + normal(random, TOKENS, WIDTH) + 0.3
    other = normal(random, TOKENS, OTHER_WIDTH) + x[:, :OTHER_WIDTH]
    directions = torch.nn.functional.normalize(normal(random, DIRECTIONS, WIDTH), dim=1)
    arrays |= {"x": x, "y": y, "other": other, "directions": directions}
    wide = [array.double() for array in (x, y, directions)]
    elsewhere |= clouds_elsewhere(*wide)
    losses = {
        "hidden.sliced-wasserstein": lambda x: sliced(x, wide[1], wide[2]),
        "hidden.energy": lambda x: energy(x, wide[1]),
        "hidden.mmd": lambda x: mmd(x, wide[1]),
        "hidden.gaussian-w2": lambda x: gaussian(x, wide[1]),
        "hidden.sinkhorn": lambda x: sinkhorn(x, wide[1]),
        "hidden.cka": lambda x: cka(x, wide[1]),
        "hidden.cka.width": lambda x: cka(x, other.double()),
    }
    for name, loss in losses.items():
        own = wide[0].clone().requires_grad_()
        value = loss(own)
        value.backward()
        values[name], arrays[f"{name}.gradient"] = value.item(), own.grad

    random = generator(73)
    own, others = normal(random, TOKENS, 3 * WIDTH, scale=1.5), normal(random, TOKENS, 3 * OTHER_WIDTH, scale=1.5)
    arrays |= {"attention.student": own, "attention.teacher": others}
    elsewhere |= attention_elsewhere(own.double(), others.double())
    qkv = own.double().requires_grad_()
    value = attention(qkv, others.double())
    value.backward()
    values["attention.kl"], arrays["attention.kl.gradient"] = value.item(), qkv.grad

    for name, value in elsewhere.items():
        off = abs(value - values[name]) / abs(values[name])
        print(f"{name:28} {values[name]:.10f}  elsewhere {value:.10f}  apart {off:.1e}")
        assert off < AGREE, f"{name}: {value} elsewhere"
    stored = {key: array.detach().to(torch.float32).contiguous() for key, array in sorted(arrays.items())}
    (folder / "losses.safetensors").write_bytes(save(stored))
    (folder / "losses.json").write_text(json.dumps({"epsilon": EPSILON, "attention": {"context": CONTEXT, "heads": HEADS}, "values": values}, indent=1) + "\n")


main()
