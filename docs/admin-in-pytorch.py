#!/usr/bin/python3
"""Admin for a PyTorch model of your own: the sublayer, and ω from a file or from its first batch.

    python3 admin-in-pytorch.py admin-profile.json      prints the ω of a profile, and tries both ways on a toy stack

Needs PyTorch alone. docs/own-code.md tells what goes where.
"""
import json
import sys

import torch
from torch import nn


class AdminSublayer(nn.Module):
    """LN(x·ω + dropout(f(x))); `branch` is f: an attention or a feed-forward network that keeps the shape of x."""

    def __init__(self, branch, width, omega=1.0, dropout=0.1):
        super().__init__()
        self.branch, self.dropout, self.norm = branch, nn.Dropout(dropout), nn.LayerNorm(width)
        self.omega = nn.Parameter(torch.full((width,), float(omega)))  # trained like every other weight

    def forward(self, x, *rest):
        return self.norm(x * self.omega + self.dropout(self.branch(x, *rest)))


def omegas(file):
    """{(stack, layer, sublayer): ω} of an admin-profile.json; layers from 0, sublayers self, encoder, fc."""
    with open(file, encoding='utf-8') as lines:
        return {(s['stack'], s['layer'], s['sublayer']): s['omega'] for s in json.load(lines)['sublayers']}


@torch.no_grad()
def profile(sublayers, x, *rest):
    """
    Sets ω of a stack's sublayers, in their order, on the first batch in training mode: ω₁ = 1, then
    ω² = Var(x·ω) + Var(f(x)) of the sublayer before, over all numbers of the tensor (leave padding out of x, or, as the
    official code, do not).
    """
    omega = 1.0
    for sublayer in sublayers:
        sublayer.omega.fill_(omega)
        shortcut, branch = x * sublayer.omega, sublayer.dropout(sublayer.branch(x, *rest))
        omega = (shortcut.var(unbiased=False) + branch.var(unbiased=False)).sqrt().item()
        x = sublayer.norm(shortcut + branch)
    return x


def toy_stack(width=64, layers=6):
    def feed_forward():
        return nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))

    return nn.ModuleList(AdminSublayer(feed_forward(), width, dropout=0.0) for _ in range(layers))


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for (stack, layer, sublayer), value in omegas(sys.argv[1]).items():
        print(f'{stack}\t{layer}\t{sublayer}\t{value:.4f}')
    torch.manual_seed(1)
    stack, batch = toy_stack(), torch.randn(200, 64)
    profile(stack, batch)
    x = batch
    for below, above in zip(stack, stack[1:]):  # what pins the method
        total = (x * below.omega).var(unbiased=False) + below.branch(x).var(unbiased=False)
        assert abs(total.sqrt() / above.omega[0] - 1) < 1e-5
        x = below(x)
    print('toy\t' + ' '.join(f'{s.omega[0]:.4f}' for s in stack))
