"""ω as the official code profiles it: np.var over padded tensors [B, L, d], in float64 and without dropout."""
import math

import torch

from golden_model import HEADS, LAYERS, NORM_NAMES, PAD, SUBLAYERS, WIDTH


def pad(sentences, left):
    """Sentences as rows of the longest one's length; the official code pads sources on the left."""
    longest = max(map(len, sentences))
    rows = [[PAD] * (longest - len(s)) + s if left else s + [PAD] * (longest - len(s)) for s in sentences]
    return torch.tensor(rows)


class PaddedProfile:
    """fairseq/modules/transformer_layer.py with `--init-type adaptive-profiling`; the weights' own ω play no part."""

    def __init__(self, model):
        self.model = model
        self.weights = model.weights

    def embed(self, stack, tokens):
        vectors = self.weights["encoder.embed_tokens.weight"][tokens] * math.sqrt(WIDTH)
        real = tokens.ne(PAD)
        positions = (torch.cumsum(real, 1) * real) + PAD
        rates = torch.exp(-math.log(10000) / (WIDTH // 2 - 1) * torch.arange(WIDTH // 2))
        angles = positions[..., None] * rates
        return vectors + torch.cat([torch.sin(angles), torch.cos(angles)], 2) * real[..., None]

    def attention(self, name, queries, keys, hidden):
        """hidden [B, Lq, Lk] is true where a query may not look."""
        weights = self.weights
        (in_q, in_k, in_v), (b_q, b_k, b_v) = (
            weights[f"{name}.in_proj_{part}"].split(WIDTH) for part in ["weight", "bias"]
        )
        q, k, v = queries @ in_q.T + b_q, keys @ in_k.T + b_k, keys @ in_v.T + b_v
        split = lambda x: x.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2)
        scores = split(q) @ split(k).transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        mixed = torch.softmax(scores.masked_fill(hidden[:, None], -math.inf), -1) @ split(v)
        return mixed.transpose(1, 2).flatten(2) @ weights[f"{name}.out_proj.weight"].T + weights[f"{name}.out_proj.bias"]

    def stack(self, stack, tokens, memory=None, source=None):
        padded = tokens.eq(PAD)[:, None, :].expand(-1, tokens.shape[1], -1)
        if memory is not None:
            padded = padded | torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).triu(1)
            outside = source.eq(PAD)[:, None, :].expand(-1, tokens.shape[1], -1)
        x, ratio, omegas = self.embed(stack, tokens), 1.0, []
        for layer in range(LAYERS):
            prefix = f"{stack}.layers.{layer}"
            for sublayer in SUBLAYERS[stack]:
                if sublayer == "self":
                    branch = self.attention(f"{prefix}.self_attn", x, x, padded)
                elif sublayer == "encoder":
                    branch = self.attention(f"{prefix}.encoder_attn", x, memory, outside)
                else:
                    branch = self.model.feed_forward(prefix, x)
                omegas.append(ratio)
                shortcut = x * ratio
                ratio = math.sqrt(shortcut.var(unbiased=False).item() + branch.var(unbiased=False).item())
                x = self.model.layer_norm(shortcut + branch, f"{prefix}.{NORM_NAMES[sublayer]}")
        return x, omegas

    def omegas(self, batch):
        source = pad([source for source, _ in batch], left=True)
        inputs = pad([[2] + target[:-1] for _, target in batch], left=False)
        memory, encoder = self.stack("encoder", source)
        _, decoder = self.stack("decoder", inputs, memory, source)
        return {"encoder": encoder, "decoder": decoder}
