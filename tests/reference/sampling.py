"""Probabilities that transformers draws the next token from: temperature, then top-k, then top-p. Writes sampling.json."""

import json
import pathlib
import sys

import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
generator = torch.Generator().manual_seed(3)
cases = []
# Rounded logits have equals, also at the edge of what is kept. Only up to 16 does torch.sort keep the order of equals, on which hangs which of them top-p keeps.
for temperature, top_k, top_p, rounded in [
    (1.0, None, None, False),
    (0.7, None, None, False),
    (1.0, 5, None, False),
    (2.0, 1, None, False),
    (1.0, None, 0.9, False),
    (1.3, None, 0.35, False),
    (0.8, 8, 0.75, False),
    (1.0, 50, 1.0, False),
    (1.0, 1, None, True),
    (1.0, 4, None, True),
    (0.5, 6, None, True),
    (1.0, None, 0.5, True),
    (1.0, None, 0.8, True),
    (2.0, 7, 0.6, True),
    (1.0, 3, 0.0, True),
    (1.0, None, 1.0, True),
]:
    logits = torch.randn(1, 20, generator=generator, dtype=torch.float32) * 3
    if rounded:
        logits = logits[:, :16].div(2).round() + 0.0
    scores = TemperatureLogitsWarper(temperature)(None, logits.double())
    if top_k is not None:
        scores = TopKLogitsWarper(top_k)(None, scores)
    if top_p is not None:
        scores = TopPLogitsWarper(top_p)(None, scores)
    cases.append(
        {
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "logits": logits[0].tolist(),
            "probabilities": torch.softmax(scores, -1)[0].tolist(),
        }
    )
(folder / "sampling.json").write_text(json.dumps(cases, indent=1) + "\n")
