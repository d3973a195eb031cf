"""The same distillation step in PyTorch, to be timed beside `kdpipe bench`.

    python peer.py small|large|wasserstein [--device cuda] [--plain] [--compile] [--bf16] [--tf32] [--batch B] [--context T] [--steps N] [--threads N]
    python peer.py check

The step is that of the spec of the same name: forward pass of teacher and student, language modelling and KL at temperature 2, a hidden loss on the uniform map with learned projections
where the widths differ (mean squared error, or critics clipped to 0.01 and trained five times a step), backward pass, clipping at 1, fused AdamW. Tokens are random. Prints one JSON object.

On the processor the models are transformers' GPT-2. On a GPU, or with --plain, they are plain PyTorch: a GPT-2 on scaled_dot_product_attention, whose losses on predictions go through the
vocabulary in chunks of tokens, each with its own backward pass, so that the logits of neither model are ever whole in memory. `check` holds that GPT-2 against transformers', and the chunks
against the whole.
"""

import argparse
import json
import math
import resource
import time

import torch
import torch.nn.functional as F

SIZES = {
    # teacher and student as (layers, width, heads), vocabulary, batch, context, hidden loss
    "small": ((6, 256, 8), (3, 128, 4), 4096, 8, 128, "mse"),
    "large": ((12, 768, 12), (6, 768, 12), 50257, 4, 256, "mse"),
    "wasserstein": ((6, 256, 8), (3, 128, 4), 4096, 8, 128, "critic"),
}
TEMPERATURE, CRITIC_STEPS, CLIP = 2.0, 5, 0.01
# Tokens whose logits are in memory at a time, in the plain form.
CHUNK = 1024


def gpt2(shape, vocabulary, positions):
    """transformers' model."""
    from transformers import GPT2Config, GPT2LMHeadModel

    layers, width, heads = shape
    config = GPT2Config(
        vocab_size=vocabulary, n_positions=positions, n_layer=layers, n_embd=width, n_head=heads,
        attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0, use_cache=False, bos_token_id=0, eos_token_id=0,
    )
    return GPT2LMHeadModel(config)


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.c_attn, self.c_proj = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.c_fc, self.mlp_proj = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x):
        batch, context, width = x.shape
        q, k, v = self.c_attn(self.ln_1(x)).view(batch, context, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(mixed.transpose(1, 2).reshape(batch, context, width))
        return x + self.mlp_proj(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class Plain(torch.nn.Module):
    """GPT-2 without a library: tokens to the state behind every block, the last one normalised, as transformers counts them."""

    def __init__(self, shape, vocabulary, positions):
        super().__init__()
        layers, width, heads = shape
        self.wte, self.wpe = torch.nn.Embedding(vocabulary, width), torch.nn.Embedding(positions, width)
        self.blocks = torch.nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_f = torch.nn.LayerNorm(width)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                torch.nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if "proj" in name else 0.02)
            elif name.endswith("bias"):
                torch.nn.init.zeros_(parameter)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1], device=tokens.device))
        states = [x]
        for block in self.blocks:
            x = block(x)
            states.append(x)
        states[-1] = self.ln_f(x)
        return states

    def take(self, other):
        """The weights of transformers' model, whose linear layers are stored the other way round."""
        names = {"attn.c_attn": "c_attn", "attn.c_proj": "c_proj", "mlp.c_fc": "c_fc", "mlp.c_proj": "mlp_proj"}
        given, own = other.transformer.state_dict(), {}
        for name, values in given.items():
            new = name.replace("h.", "blocks.", 1) if name.startswith("h.") else name
            for theirs, mine in names.items():
                if f".{theirs}." in new:
                    new = new.replace(f".{theirs}.", f".{mine}.")
                    values = values.t() if new.endswith("weight") else values
                    break
            own[new] = values
        self.load_state_dict(own)
        return self


def critic(width):
    linear, leaky = torch.nn.Linear, torch.nn.LeakyReLU
    return torch.nn.Sequential(linear(width, width), leaky(0.2), linear(width, width), leaky(0.2), linear(width, 1))


def predictions(logits, soft, targets):
    """Both losses on predictions, of rows of logits."""
    log = lambda x: F.log_softmax(x.float() / TEMPERATURE, -1)
    lm = F.cross_entropy(logits.float(), targets, reduction="sum")
    kl = F.kl_div(log(logits), log(soft), log_target=True, reduction="sum")
    return 0.5 * lm + 0.5 * TEMPERATURE**2 * kl


def chunk_loss(states, head, others, other_head, targets):
    return predictions(states @ head.t(), others @ other_head.t(), targets)


def backward_in_chunks(last, head, others, other_head, targets, loss=chunk_loss, chunk=CHUNK):
    """The gradient of the mean losses on predictions with respect to the final states; the head's is added to its own."""
    tokens = targets.shape[0]
    own = last.detach().requires_grad_()
    for start in range(0, tokens, chunk):
        part = slice(start, start + chunk)
        (loss(own[part], head, others[part], other_head, targets[part]) / tokens).backward()
    return own.grad


def check():
    """The plain GPT-2 against transformers', and the losses in chunks against the whole."""
    torch.manual_seed(0)
    shape, vocabulary, context = (3, 48, 4), 97, 16
    theirs = gpt2(shape, vocabulary, context).eval()
    mine = Plain(shape, vocabulary, context).take(theirs)
    tokens = torch.randint(0, vocabulary, (2, context))
    states, expected = mine(tokens), theirs(tokens, output_hidden_states=True)
    for found, wanted in zip(states, expected.hidden_states, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(states[-1] @ mine.wte.weight.t(), expected.logits, rtol=1e-4, atol=1e-5)
    last, targets = states[-1].flatten(0, 1), torch.randint(0, vocabulary, (2 * context,))
    others, other_head = torch.randn(2 * context, 24), torch.randn(vocabulary, 24)
    whole = predictions(last @ mine.wte.weight.t(), others @ other_head.t(), targets) / (2 * context)
    wanted = torch.autograd.grad(whole, [last, mine.wte.weight], retain_graph=True)
    found = backward_in_chunks(last, mine.wte.weight, others, other_head, targets, chunk=7)
    torch.testing.assert_close(found, wanted[0], rtol=1e-4, atol=1e-6)
    # The head is the embedding too: without the part that comes from the states.
    alone = torch.autograd.grad(predictions(last.detach() @ mine.wte.weight.t(), others @ other_head.t(), targets) / (2 * context), mine.wte.weight)[0]
    torch.testing.assert_close(mine.wte.weight.grad, alone, rtol=1e-4, atol=1e-6)
    print("the plain GPT-2 and its chunks are transformers' and the whole")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("size", choices=[*SIZES, "check"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--tf32", action="store_true")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--context", type=int)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.size == "check":
        return check()
    torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("high" if options.tf32 else "highest")
    torch.manual_seed(0)
    device, is_plain = torch.device(options.device), options.plain or options.device == "cuda"

    of_teacher, of_student, vocabulary, batch, context, loss = SIZES[options.size]
    context, batch = options.context or context, options.batch or batch
    model = Plain if is_plain else gpt2
    teacher, student = model(of_teacher, vocabulary, context).to(device).eval().requires_grad_(False), model(of_student, vocabulary, context).to(device)
    pairs = [(i, round(i * of_teacher[0] / of_student[0])) for i in range(1, of_student[0] + 1)]
    width = of_teacher[1]
    project = [torch.nn.Identity() if of_student[1] == width else torch.nn.Linear(of_student[1], width).to(device) for _ in pairs]
    critics = [critic(width).to(device) for _ in pairs] if loss == "critic" else []
    learned = list(student.parameters()) + [p for layer in project for p in layer.parameters()]
    optimizer = torch.optim.AdamW(learned, lr=1e-4, fused=True)
    of_critics = [p for one in critics for p in one.parameters()]
    critic_optimizer = torch.optim.Adam(of_critics, lr=1e-4, betas=(0.0, 0.9)) if critics else None
    compiled = torch.compile if options.compile else lambda x: x
    run_teacher, run_student, of_chunk = compiled(teacher), compiled(student), compiled(chunk_loss)
    autocast = lambda: torch.autocast(device.type, dtype=torch.bfloat16, enabled=options.bf16)

    def hidden_loss(found, wanted):
        own = [layer(found[i]) for layer, (i, _) in zip(project, pairs)]
        others = [wanted[j] for _, j in pairs]
        if not critics:
            return sum(F.mse_loss(x, y) for x, y in zip(own, others)) / len(pairs)
        for _ in range(CRITIC_STEPS):
            critic_optimizer.zero_grad()
            sum(f(x.detach()).mean() - f(y).mean() for f, x, y in zip(critics, own, others)).backward()
            critic_optimizer.step()
            with torch.no_grad():
                for parameter in of_critics:
                    parameter.clamp_(-CLIP, CLIP)
        return sum(f(y).mean() - f(x).mean() for f, x, y in zip(critics, own, others)) / len(pairs)

    def step():
        tokens = torch.randint(0, vocabulary, (batch, context + 1), device=device)
        inputs, targets = tokens[:, :-1].contiguous(), tokens[:, 1:].reshape(-1)
        optimizer.zero_grad(set_to_none=True)
        with autocast():
            if is_plain:
                with torch.no_grad():
                    wanted = run_teacher(inputs)
                found = run_student(inputs)
                hidden, last = hidden_loss(found, wanted), found[-1].flatten(0, 1)
                others, other_head = wanted[-1].flatten(0, 1), teacher.wte.weight
                slope = backward_in_chunks(last, student.wte.weight, others, other_head, targets, of_chunk)
            else:
                with torch.no_grad():
                    wanted = run_teacher(inputs, output_hidden_states=True)
                found = run_student(inputs, output_hidden_states=True)
                logits, soft = found.logits.view(-1, vocabulary), wanted.logits.view(-1, vocabulary)
                total = 0.5 * F.cross_entropy(logits, targets)
                log = lambda x: F.log_softmax(x.float() / TEMPERATURE, -1)  # on the CPU autocast leaves it in bfloat16
                total = total + 0.5 * TEMPERATURE**2 * F.kl_div(log(logits), log(soft), log_target=True, reduction="batchmean")
                total = total + hidden_loss(found.hidden_states, wanted.hidden_states)
        if is_plain:
            torch.autograd.backward([last, hidden], [slope, None])
        else:
            total.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()

    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    for _ in range(3):
        step()
    wait()
    seconds = []
    for _ in range(options.steps):
        start = time.perf_counter()
        step()
        wait()
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    median = seconds[len(seconds) // 2]
    report = {
        "seconds_per_step": median,
        "fastest_step": seconds[0],
        "tokens_per_second": batch * context / median,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    if device.type == "cuda":
        report["device"] = torch.cuda.get_device_name()
        report["peak_device_bytes"] = torch.cuda.max_memory_allocated()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
