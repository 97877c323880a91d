#!/usr/bin/python3
"""Records what PyTorch makes of a tiny Transformer in every residual scheme, in float64.

    /usr/bin/python3 scripts/record-goldens.py     (needs PyTorch: Debian's python3-torch)

Written from the formulas of docs/model.md, one sentence at a time and without any padding, so that it shares
nothing with the program that it checks. For each scheme test/model/fixtures/goldens/<scheme>.json holds the model's
weights (float32 values), a batch, and: logits, loss, nll, the gradient of every weight, and for Adam and RAdam the
losses of ten steps and the weights after them; for Admin also the ω that the official code profiles.
"""

import json
import math
import pathlib

import torch

from golden_profile import PaddedProfile
from golden_model import FFN, HEADS, LAYERS, MAX_POSITIONS, SMOOTHING, WIDTH, Model, make_weights

STEPS = 10
OPTIMIZER = {"lr": 0.01, "betas": [0.9, 0.98], "eps": 1e-8, "weightDecay": 0.01}

# Each scheme with other settings beside it, so that every setting is met.
CASES = {
    "post-ln": {"shareEmbeddings": "all", "activationFn": "relu", "positions": "sinusoidal"},
    "pre-ln": {"shareEmbeddings": "decoder", "activationFn": "gelu", "positions": "learned"},
    "admin": {"shareEmbeddings": "all", "activationFn": "relu", "positions": "sinusoidal"},
    "deepnorm": {"shareEmbeddings": "none", "activationFn": "relu", "positions": "sinusoidal"},
    "rezero": {"shareEmbeddings": "all", "activationFn": "gelu", "positions": "sinusoidal"},
    "rezero-post-ln": {"shareEmbeddings": "decoder", "activationFn": "relu", "positions": "learned"},
    "look-linear": {"shareEmbeddings": "none", "activationFn": "relu", "positions": "sinusoidal"},
    "post-ln-pre-ln": {"shareEmbeddings": "decoder", "activationFn": "relu", "positions": "sinusoidal"},
    "b2t": {"shareEmbeddings": "decoder", "activationFn": "gelu", "positions": "learned"},
    "sub-ln": {"shareEmbeddings": "all", "activationFn": "relu", "positions": "sinusoidal"},
}


def step_size(name, step, lr, betas):
    """Adam's and RAdam's step sizes as the official code has them; None takes no step."""
    correction1, correction2 = 1 - betas[0] ** step, 1 - betas[1] ** step
    if name == "adam":
        return lr * math.sqrt(correction2) / correction1
    longest = 2 / (1 - betas[1]) - 1
    length = longest - 2 * step * betas[1] ** step / correction2
    if length < 5:
        return None
    rectified = correction2 * (length - 4) / (longest - 4) * (length - 2) * longest / length / (longest - 2)
    return lr * math.sqrt(rectified) / correction1


def train(name, case, start, batch):
    """Ten steps on the mean loss of a token; the summed loss before each, and the weights after all."""
    weights = {key: value.detach().clone().requires_grad_() for key, value in start.items()}
    first = {key: torch.zeros_like(value) for key, value in weights.items()}
    second = {key: torch.zeros_like(value) for key, value in weights.items()}
    tokens = sum(len(target) for _, target in batch)
    beta1, beta2 = OPTIMIZER["betas"]
    losses = []
    for step in range(1, STEPS + 1):
        _, loss, _ = Model(case, weights).losses(batch)
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss / tokens, list(weights.values()))
        size = step_size(name, step, OPTIMIZER["lr"], OPTIMIZER["betas"])
        with torch.no_grad():
            for (key, weight), gradient in zip(weights.items(), gradients):
                first[key].mul_(beta1).add_(gradient, alpha=1 - beta1)
                second[key].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
                weight.mul_(1 - OPTIMIZER["lr"] * OPTIMIZER["weightDecay"])
                if size is not None:
                    weight.sub_(size * first[key] / (second[key].sqrt() + OPTIMIZER["eps"]))
    return {"losses": rounded(losses), "weights": {key: flat(value) for key, value in weights.items()}}


def rounded(values, digits=8):
    return [float(f"%.{digits}g" % value) for value in values]


def flat(tensor, digits=8):
    return rounded(tensor.detach().reshape(-1).tolist(), digits)


def make_batch(vocabulary, generator):
    """Six pairs of lengths 1 to 6 on both sides, </s> counted."""

    def sentence(length, size):
        return torch.randint(4, size, (length - 1,), generator=generator).tolist() + [2]

    lengths = [(3, 5), (1, 2), (6, 4), (2, 1), (5, 6), (4, 3)]
    return [(sentence(a, vocabulary["source"]), sentence(b, vocabulary["target"])) for a, b in lengths]


def record(residual, settings, seed):
    case = {"residual": residual, **settings}
    generator = torch.Generator().manual_seed(seed)
    vocabulary = {"source": 20, "target": 20 if settings["shareEmbeddings"] == "all" else 17}
    weights = make_weights(case, vocabulary, generator)
    batch = make_batch(vocabulary, generator)
    logits, loss, nll = Model(case, weights).losses(batch)
    gradients = torch.autograd.grad(loss, list(weights.values()))
    return {
        "config": {
            **case,
            "embedDim": WIDTH,
            "ffnEmbedDim": FFN,
            "attentionHeads": HEADS,
            "encoder": {"layers": LAYERS},
            "decoder": {"layers": LAYERS},
            "maxPositions": MAX_POSITIONS,
        },
        "vocabulary": vocabulary,
        "labelSmoothing": SMOOTHING,
        "optimizer": OPTIMIZER,
        "source": [source for source, _ in batch],
        "target": [target for _, target in batch],
        "weights": {
            key: {"shape": list(value.shape), "data": flat(value, 9)} for key, value in weights.items()
        },
        "logits": flat(logits),
        "loss": loss.item(),
        "nll": nll.item(),
        "gradients": {key: flat(gradient) for key, gradient in zip(weights, gradients)},
        **(
            {"paddedOmega": PaddedProfile(Model(case, weights)).omegas(batch)} if residual == "admin" else {}
        ),
        "steps": {name: train(name, case, weights, batch) for name in ["adam", "radam"]},
    }


def main():
    folder = pathlib.Path(__file__).resolve().parent.parent / "test/model/fixtures/goldens"
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (residual, settings) in enumerate(CASES.items(), start=1):
        text = json.dumps(record(residual, settings, seed), separators=(",", ":"))
        (folder / f"{residual}.json").write_text(text + "\n")
        print(f"{residual}: {len(text)} bytes")


main()
