"""The same distillation step in PyTorch with transformers' GPT-2, to be timed beside `kdpipe bench`.

    python peer.py small|large|wasserstein [--compile] [--bf16] [--steps N] [--context T] [--threads N]

The step is that of the spec of the same name: forward pass of teacher and student, language modelling and KL at temperature 2, a hidden loss on the uniform map with learned projections
where the widths differ (mean squared error, or critics clipped to 0.01 and trained five times a step), backward pass, clipping at 1, AdamW. Tokens are random. Prints one JSON object.
"""

import argparse
import json
import resource
import time

import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

SIZES = {
    # teacher and student as (layers, width, heads), vocabulary, batch, context, hidden loss
    "small": ((6, 256, 8), (3, 128, 4), 4096, 8, 128, "mse"),
    "large": ((12, 768, 12), (6, 768, 12), 50257, 4, 256, "mse"),
    "wasserstein": ((6, 256, 8), (3, 128, 4), 4096, 8, 128, "critic"),
}
TEMPERATURE, CRITIC_STEPS, CLIP = 2.0, 5, 0.01


def gpt2(shape, vocabulary, positions):
    layers, width, heads = shape
    config = GPT2Config(
        vocab_size=vocabulary, n_positions=positions, n_layer=layers, n_embd=width, n_head=heads,
        attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0, use_cache=False, bos_token_id=0, eos_token_id=0,
    )
    return GPT2LMHeadModel(config)


def critic(width):
    linear, leaky = torch.nn.Linear, torch.nn.LeakyReLU
    return torch.nn.Sequential(linear(width, width), leaky(0.2), linear(width, width), leaky(0.2), linear(width, 1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--context", type=int)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)

    of_teacher, of_student, vocabulary, batch, context, loss = SIZES[options.size]
    context = options.context or context
    teacher, student = gpt2(of_teacher, vocabulary, context).eval().requires_grad_(False), gpt2(of_student, vocabulary, context)
    pairs = [(i, round(i * of_teacher[0] / of_student[0])) for i in range(1, of_student[0] + 1)]
    width = of_teacher[1]
    project = [torch.nn.Identity() if of_student[1] == width else torch.nn.Linear(of_student[1], width) for _ in pairs]
    critics = [critic(width) for _ in pairs] if loss == "critic" else []
    learned = list(student.parameters()) + [p for layer in project for p in layer.parameters()]
    optimizer = torch.optim.AdamW(learned, lr=1e-4, fused=True)
    of_critics = [p for one in critics for p in one.parameters()]
    critic_optimizer = torch.optim.Adam(of_critics, lr=1e-4, betas=(0.0, 0.9)) if critics else None
    run_teacher, run_student = (torch.compile(teacher), torch.compile(student)) if options.compile else (teacher, student)

    def step():
        tokens = torch.randint(0, vocabulary, (batch, context + 1))
        inputs, targets = tokens[:, :-1].contiguous(), tokens[:, 1:].reshape(-1)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bf16):
            with torch.no_grad():
                wanted = run_teacher(inputs, output_hidden_states=True)
            found = run_student(inputs, output_hidden_states=True)
            logits, soft = found.logits.view(-1, vocabulary), wanted.logits.view(-1, vocabulary)
            total = 0.5 * F.cross_entropy(logits, targets)
            log = lambda x: F.log_softmax(x / TEMPERATURE, -1)
            total = total + 0.5 * TEMPERATURE**2 * F.kl_div(log(logits), log(soft), log_target=True, reduction="batchmean")
            own = [layer(found.hidden_states[i]) for layer, (i, _) in zip(project, pairs)]
            others = [wanted.hidden_states[j] for _, j in pairs]
            if critics:
                for _ in range(CRITIC_STEPS):
                    critic_optimizer.zero_grad()
                    sum(f(x.detach()).mean() - f(y).mean() for f, x, y in zip(critics, own, others)).backward()
                    critic_optimizer.step()
                    with torch.no_grad():
                        for parameter in of_critics:
                            parameter.clamp_(-CLIP, CLIP)
                hidden = sum(f(y).mean() - f(x).mean() for f, x, y in zip(critics, own, others)) / len(pairs)
            else:
                hidden = sum(F.mse_loss(x, y) for x, y in zip(own, others)) / len(pairs)
            total = total + hidden
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()

    for _ in range(3):
        step()
    seconds = []
    for _ in range(options.steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    median = seconds[len(seconds) // 2]
    print(json.dumps({
        "seconds_per_step": median,
        "fastest_step": seconds[0],
        "tokens_per_second": batch * context / median,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }))


if __name__ == "__main__":
    main()
