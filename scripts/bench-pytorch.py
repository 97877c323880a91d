#!/usr/bin/python3
"""The peer of the bench: the same model on the same batches in PyTorch, in a process of its own.

    bench-pytorch.py WIDTH INNER HEADS LAYERS VOCABULARY BATCHES THREADS PRECISION

For each line on stdin it does one step on the next batch and prints its seconds as JSON; `memory` prints the peak in
bytes, `version` what it runs on. PRECISION bfloat16 is PyTorch's own autocast. One product for q, k and v; its own
scaled_dot_product_attention where it has one, batched products else; its own layer norm, cross-entropy with label
smoothing, clipping, and Adam in one kernel where it has it for processors, over the whole list (foreach) else. Numbers below
the normal ones count as 0. Batches are padded to their longest sentence.
"""

import json
import math
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

PAD, EOS = 1, 2
DROPOUT, ATTENTION_DROPOUT, ACTIVATION_DROPOUT = 0.3, 0.1, 0.1


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.width, self.heads = width, heads
        self.weight = nn.Parameter(torch.empty(3 * width, width))
        self.bias = nn.Parameter(torch.zeros(3 * width))
        self.out = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.weight)

    def split(self, x):
        batch, length, _ = x.shape
        return x.view(batch, length, self.heads, -1).transpose(1, 2).reshape(batch * self.heads, length, -1)

    def forward(self, x, memory, mask):
        d = self.width
        if memory is None:
            q, k, v = F.linear(x, self.weight, self.bias).split(d, dim=-1)
        else:
            q = F.linear(x, self.weight[:d], self.bias[:d])
            k, v = F.linear(memory, self.weight[d:], self.bias[d:]).split(d, dim=-1)
        batch, length, _ = x.shape
        if hasattr(F, "scaled_dot_product_attention"):
            q, k, v = (x.view(batch, -1, self.heads, d // self.heads).transpose(1, 2) for x in (q, k, v))
            bias = None if mask is None else (mask[None] if mask.shape[0] == 1 else mask.view(batch, self.heads, *mask.shape[1:]))
            dropout = ATTENTION_DROPOUT if self.training else 0.0
            mixed = F.scaled_dot_product_attention(q, k, v, bias if bias is None else bias.to(q.dtype), dropout)
            return self.out(mixed.transpose(1, 2).reshape(batch, length, d))
        q, k, v = self.split(q * (d // self.heads) ** -0.5), self.split(k), self.split(v)
        scores = torch.bmm(q, k.transpose(1, 2)) if mask is None else torch.baddbmm(mask, q, k.transpose(1, 2))
        weights = F.dropout(torch.softmax(scores, -1), ATTENTION_DROPOUT, self.training)
        mixed = torch.bmm(weights, v).view(batch, self.heads, length, -1).transpose(1, 2).reshape(batch, length, d)
        return self.out(mixed)


class Residual(nn.Module):
    """LN(x * omega + dropout(f))."""

    def __init__(self, width, omega):
        super().__init__()
        self.omega = nn.Parameter(torch.full((width,), omega))
        self.norm = nn.LayerNorm(width)

    def forward(self, x, f):
        return self.norm(torch.addcmul(F.dropout(f, DROPOUT, self.training), x, self.omega))


class Layer(nn.Module):
    def __init__(self, width, inner, heads, omega, decoder):
        super().__init__()
        self.own, self.own_residual = Attention(width, heads), Residual(width, omega)
        if decoder:
            self.cross, self.cross_residual = Attention(width, heads), Residual(width, omega)
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.fc_residual = Residual(width, omega)

    def forward(self, x, mask, memory=None, memory_mask=None):
        x = self.own_residual(x, self.own(x, None, mask))
        if memory is not None:
            x = self.cross_residual(x, self.cross(x, memory, memory_mask))
        h = F.dropout(F.relu(self.fc1(x), inplace=True), ACTIVATION_DROPOUT, self.training)
        return self.fc_residual(x, self.fc2(h))


class Model(nn.Module):
    def __init__(self, width, inner, heads, layers, vocabulary):
        super().__init__()
        self.width, self.heads = width, heads
        omega = lambda n: math.sqrt((n + 1) / math.log(n + 1) - 1)
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.encoder = nn.ModuleList(Layer(width, inner, heads, omega(2 * layers), False) for _ in range(layers))
        self.decoder = nn.ModuleList(Layer(width, inner, heads, omega(3 * layers), True) for _ in range(layers))
        place = torch.arange(2, 514)[:, None] * torch.exp(torch.arange(width // 2) * -(math.log(10000) / (width // 2 - 1)))
        self.register_buffer("positions", torch.cat([torch.sin(place), torch.cos(place)], 1))

    def embed(self, tokens):
        x = F.embedding(tokens, self.table) * math.sqrt(self.width) + self.positions[: tokens.shape[1]]
        return F.dropout(x, DROPOUT, self.training)

    def key_mask(self, padding, queries):
        if not padding.any():
            return None
        mask = torch.zeros(padding.shape).masked_fill(padding, -1e9)[:, None, None, :]
        return mask.expand(-1, self.heads, queries, -1).reshape(-1, queries, padding.shape[1])

    def forward(self, source, target, output):
        lengths = source.shape[1], target.shape[1]
        padding = source.eq(PAD)
        x, own = self.embed(source), self.key_mask(padding, lengths[0])
        for layer in self.encoder:
            x = layer(x, own)
        memory, cross = x, self.key_mask(padding, lengths[1])
        # Padding follows the target, and what precedes a token does not see it: the causal mask is enough.
        causal = torch.full((lengths[1], lengths[1]), -1e9).triu(1)[None]
        y = self.embed(target)
        for layer in self.decoder:
            y = layer(y, causal, memory, cross)
        kept = output.ne(PAD)
        logits = F.linear(y[kept], self.table)
        return F.cross_entropy(logits, output[kept], reduction="sum", label_smoothing=0.1)


def padded(rows):
    length = max(map(len, rows))
    return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])


def adam(parameters):
    parameters = list(parameters)
    options = {"lr": 1e-4, "betas": (0.9, 0.98), "eps": 1e-8}
    try:
        return torch.optim.Adam(parameters, fused=True, **options)
    except (RuntimeError, TypeError):  # no such kernel for processors before 2.4
        return torch.optim.Adam(parameters, foreach=True, **options)


def main():
    torch.set_flush_denormal(True)
    width, inner, heads, layers, vocabulary = map(int, sys.argv[1:6])
    torch.set_num_threads(int(sys.argv[7]))
    torch.manual_seed(1)
    with open(sys.argv[6]) as file:
        batches = [
            (
                padded([pair["source"] for pair in pairs]),
                padded([[EOS] + pair["target"][:-1] for pair in pairs]),
                padded([pair["target"] for pair in pairs]),
                sum(len(pair["target"]) for pair in pairs),
            )
            for pairs in json.load(file)
        ]
    model = Model(width, inner, heads, layers, vocabulary)
    optimizer = adam(model.parameters())
    precision = sys.argv[8]
    done = 0
    for line in sys.stdin:
        if line.strip() == "memory":
            print(json.dumps({"bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}), flush=True)
            continue
        if line.strip() == "version":
            print(json.dumps({"version": f"PyTorch {torch.__version__}, {precision}"}), flush=True)
            continue
        source, target, output, tokens = batches[done % len(batches)]
        done += 1
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = model(source, target, output)
        (loss / tokens).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        value = loss.item() / tokens / math.log(2)
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "tokens": tokens, "loss": value}), flush=True)


main()
