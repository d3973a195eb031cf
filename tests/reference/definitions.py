"""The definitions that the reference arrays follow, in PyTorch: models by transformers, losses by hand or from torch.nn.functional, the critic by autograd's second derivatives.

Every function works at the precision of its inputs. make.py puts them together.
"""

import math

import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

VOCABULARY, POSITIONS = 61, 16
SHAPES = {"teacher": (4, 24, 3), "student": (2, 16, 2)}  # layers, width, heads
FAINTEST = 1e-4  # smallest gradient of a critic's first update that is far from rounding, relative to its array's largest
NORM = 1e-12  # added to squared norms


# ---------------------------------------------------------------------------------------------------------------------------------------- random numbers


def generator(seed):
    return torch.Generator().manual_seed(seed)


def leaf(array, dtype):
    """A copy at a precision that gathers gradients."""
    return array.detach().clone().to(dtype).requires_grad_()


def normal(random, *shape, scale=1.0):
    return torch.randn(*shape, generator=random) * scale


def tokens_with_a_pattern(seed, count):
    """A stream whose next token is often predictable, so that a language-model loss falls."""
    random = generator(seed)
    tokens = [7]
    while len(tokens) < count:
        noise = int(torch.randint(0, 3, (1,), generator=random))
        anything = int(torch.randint(0, VOCABULARY, (1,), generator=random))
        follows = (7 * tokens[-1] + 3 + noise) % VOCABULARY
        tokens.append(follows if float(torch.rand(1, generator=random)) < 0.8 else anything)
    return torch.tensor(tokens)


class Stream:
    """The program's counter-based random numbers (src/random.rs): the interpolation weights of a critic's updates come from them."""

    MASK = (1 << 64) - 1
    GAMMA = 0x9E3779B97F4A7C15

    @classmethod
    def mix(cls, z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & cls.MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & cls.MASK
        return z ^ (z >> 31)

    def __init__(self, seed, purpose, index):
        key = self.mix((seed + self.GAMMA) & self.MASK)
        for byte in purpose.encode():
            key = self.mix(key ^ (byte * self.GAMMA & self.MASK))
        self.key = self.mix(key ^ self.mix((index + self.GAMMA) & self.MASK))
        self.next = 0

    def uniform(self):
        self.next += 1
        return (self.mix((self.key + self.next * self.GAMMA) & self.MASK) >> 11) / (1 << 53)


# ------------------------------------------------------------------------------------------------------------------------------------------------- models


def gpt2(name, seed):
    """A GPT-2 whose weights are large enough that attention and predictions are far from uniform, and whose biases and gains all differ."""
    layers, width, heads = SHAPES[name]
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=POSITIONS, n_embd=width, n_layer=layers, n_head=heads, activation_function="gelu_new", use_cache=False,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0, attn_implementation="eager",
    )
    model = GPT2LMHeadModel(config)
    random = generator(seed)
    with torch.no_grad():
        for key, parameter in weights(model).items():
            noise = normal(random, *parameter.shape)
            if "ln_" in key:
                parameter.copy_(1.0 + 0.2 * noise if key.endswith("weight") else 0.1 * noise)
            elif key.endswith("bias"):
                parameter.copy_(0.1 * noise)
            elif key == "wte.weight":
                parameter.copy_(0.4 * noise)
            elif key == "wpe.weight":
                parameter.copy_(0.2 * noise)
            else:
                parameter.copy_(0.9 / math.sqrt(parameter.shape[0]) * noise)
    return model.eval()


def weights(model):
    """Every parameter under the name of Hugging Face's files without `transformer.`; the tied head is `wte.weight`."""
    return dict(model.transformer.named_parameters())


def forward(model, tokens):
    """Logits (B, T, V) and the hidden states {0 … L, "final"}: 0 the embedding sum, i the residual stream after block i, `final` after ln_f.

    The last entry of Hugging Face's `hidden_states` is `final`; the residual stream after the last block is what enters ln_f.
    """
    entered = []
    hook = model.transformer.ln_f.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0]))
    output = model(tokens, output_hidden_states=True)
    hook.remove()
    states = dict(enumerate(output.hidden_states[:-1]))
    states[len(output.hidden_states) - 1] = entered[0]
    states["final"] = output.hidden_states[-1]
    return output.logits, states


def language_model_loss(logits, targets):
    return F.cross_entropy(logits.reshape(-1, VOCABULARY), targets.reshape(-1))


# ------------------------------------------------------------------------------------------------------------------------------------------------- losses


def kl(student, teacher, temperature, direction):
    """τ²·mean Σ p log(p/q) over rows of logits, p the teacher's (forward) or the student's (reverse) softmax at τ."""
    student = F.log_softmax(student.reshape(-1, VOCABULARY) / temperature, -1)
    teacher = F.log_softmax(teacher.reshape(-1, VOCABULARY) / temperature, -1)
    p, q = (teacher, student) if direction == "forward" else (student, teacher)
    return temperature**2 * F.kl_div(q, p, log_target=True, reduction="batchmean")


def norms(x):
    return (x.square().sum(-1, keepdim=True) + NORM).sqrt()


def standardize(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-5)


def distance(kind, x, target):
    if kind == "mse":
        return (x - target).square().mean()
    if kind == "mse.normalize":
        return (x / norms(x) - target / norms(target)).square().sum(-1).mean()
    if kind == "cosine":
        return (1.0 - (x * target).sum(-1, keepdim=True) / (norms(x) * norms(target))).mean()
    raise ValueError(kind)


# ------------------------------------------------------------------------------------------------------------------------------------------------- critic


def critic_weights(seed, inputs, width, depth, gain=1.0):
    """Uniform in ±gain/√fan_in; matrices (in, out); no bias on the output, where it would cancel."""
    random, arrays, fan_in = generator(seed), {}, inputs
    uniform = lambda fan_in, *shape: gain * (2.0 * torch.rand(*shape, generator=random) - 1.0) / math.sqrt(fan_in)
    for layer in range(depth):
        arrays[f"layers.{layer}.weight"] = uniform(fan_in, fan_in, width)
        arrays[f"layers.{layer}.bias"] = uniform(fan_in, width)
        fan_in = width
    arrays["out.weight"] = uniform(fan_in, fan_in, 1)
    return arrays


class Critic:
    """f(x) = σ(… σ(xW₁ + b₁) …)w, σ the leaky ReLU, kept Lipschitz in one of three ways and trained by Adam."""

    def __init__(self, arrays, vectors, settings, dtype):
        self.settings = settings
        self.parameters = {name: leaf(array, dtype) for name, array in arrays.items()}
        self.vectors = {name: vector.to(dtype) for name, vector in vectors.items()}
        self.updates = 0
        self.adam = torch.optim.Adam(self.parameters.values(), lr=settings["lr"], betas=tuple(settings["betas"]), eps=1e-8)

    def matrices(self):
        return [name for name in self.parameters if name.endswith(".weight")]

    def power_iteration(self):
        for i, name in enumerate(self.matrices()):
            weight, u = self.parameters[name].detach(), self.vectors[f"{i}.u"]
            v = F.normalize(weight.T @ u, dim=0, eps=NORM)
            self.vectors[f"{i}.v"], self.vectors[f"{i}.u"] = v, F.normalize(weight @ v, dim=0, eps=NORM)

    def effective(self, name):
        weight = self.parameters[name]
        if self.settings["lipschitz"] != "spectral" or not name.endswith(".weight"):
            return weight
        i = self.matrices().index(name)
        return weight / (self.vectors[f"{i}.u"] @ weight @ self.vectors[f"{i}.v"])

    def __call__(self, x):
        for layer in range(self.settings["depth"]):
            x = F.leaky_relu(x @ self.effective(f"layers.{layer}.weight") + self.effective(f"layers.{layer}.bias"), self.settings["slope"])
        return x @ self.effective("out.weight")

    def term(self, student, teacher):
        """mean f(h_t) − mean f(P h_s)."""
        return self(teacher).mean() - self(student).mean()

    def update(self, student, teacher, epsilon):
        """One step; returns the estimate, the penalty without λ and the mean norm of ∇f at the interpolates, all before the step."""
        lipschitz = self.settings["lipschitz"]
        if lipschitz == "spectral":
            self.power_iteration()
        estimate = self.term(student, teacher)
        mixed = (epsilon[:, None] * teacher + (1.0 - epsilon[:, None]) * student).requires_grad_()
        (slope,) = torch.autograd.grad(self(mixed).sum(), mixed, create_graph=True)
        slopes = norms(slope).squeeze(-1)
        penalty = (slopes - 1.0).square().mean()
        loss = -estimate + (self.settings["penalty"] * penalty if lipschitz == "gradient-penalty" else 0.0)
        self.adam.zero_grad()
        loss.backward()
        if self.updates == 0:
            # Adam's first step is a gradient's sign: where that is rounding, no two programs agree.
            faintest = min((p.grad.abs().min() / p.grad.abs().max()).item() for p in self.parameters.values())
            assert faintest > FAINTEST, f"a gradient of a {lipschitz} critic is {faintest:.0e} of its array's largest: choose another seed"
        self.updates += 1
        self.adam.step()
        if lipschitz == "clip":
            with torch.no_grad():
                for parameter in self.parameters.values():
                    parameter.clamp_(-self.settings["clip"], self.settings["clip"])
        return estimate.item(), penalty.item() if lipschitz == "gradient-penalty" else 0.0, slopes.mean().item()
