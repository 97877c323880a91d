"""The tiny Transformer of record-goldens.py in every residual scheme, in float64, from the formulas of docs/model.md."""
import math

import torch

torch.set_default_dtype(torch.float64)

WIDTH, HEADS, FFN, LAYERS = 8, 2, 12, 2
PAD = 1
MAX_POSITIONS = 7
SMOOTHING = 0.1

SUBLAYERS = {"encoder": ["self", "fc"], "decoder": ["self", "encoder", "fc"]}
NORM_NAMES = {"self": "self_attn_layer_norm", "encoder": "encoder_attn_layer_norm", "fc": "final_layer_norm"}


def is_pre_ln(residual, stack):
    return residual in ("pre-ln", "sub-ln") or (residual == "post-ln-pre-ln" and stack == "decoder")


def omega_name(stack, sublayer):
    first = "attention_ratio_change" if stack == "encoder" else "self_ratio_change"
    return {"self": first, "encoder": "encoder_ratio_change", "fc": "fc_ratio_change"}[sublayer]


def make_weights(case, vocabulary, generator):
    """Random weights by official name: every bias and gain away from its initial value, to be felt."""
    weights = {}

    def draw(name, *shape, scale=1.0, mean=0.0):
        values = mean + scale * torch.randn(shape, generator=generator)
        weights[name] = values.to(torch.float32).to(torch.float64).requires_grad_()

    def matrix(name, rows, columns):
        draw(name, rows, columns, scale=math.sqrt(2 / (rows + columns)))

    def table(name, rows):
        draw(name, rows, WIDTH, scale=WIDTH**-0.5)

    def norm(name, width=WIDTH):
        draw(f"{name}.weight", width, scale=0.1, mean=1)
        draw(f"{name}.bias", width, scale=0.1)

    def attention(name):
        if case["residual"] in ("deepnorm", "sub-ln"):
            for which in "qkv":
                matrix(f"{name}.{which}_proj_weight", WIDTH, WIDTH)
        else:
            matrix(f"{name}.in_proj_weight", 3 * WIDTH, WIDTH)
        draw(f"{name}.in_proj_bias", 3 * WIDTH, scale=0.1)
        matrix(f"{name}.out_proj.weight", WIDTH, WIDTH)
        draw(f"{name}.out_proj.bias", WIDTH, scale=0.1)

    for stack in ["encoder", "decoder"]:
        if stack == "encoder" or case["shareEmbeddings"] != "all":
            table(f"{stack}.embed_tokens.weight", vocabulary["source" if stack == "encoder" else "target"])
        if case["positions"] == "learned":
            table(f"{stack}.embed_positions.weight", MAX_POSITIONS + PAD + 1)
        for layer in range(LAYERS):
            prefix = f"{stack}.layers.{layer}"
            for sublayer in SUBLAYERS[stack]:
                if sublayer == "fc":
                    matrix(f"{prefix}.fc1.weight", FFN, WIDTH)
                    draw(f"{prefix}.fc1.bias", FFN, scale=0.1)
                    matrix(f"{prefix}.fc2.weight", WIDTH, FFN)
                    draw(f"{prefix}.fc2.bias", WIDTH, scale=0.1)
                else:
                    attention(f"{prefix}.{sublayer}_attn")
                if case["residual"] == "sub-ln" and sublayer != "encoder":
                    inner = "ffn_layernorm" if sublayer == "fc" else "self_attn.inner_attn_ln"
                    norm(f"{prefix}.{inner}", FFN if sublayer == "fc" else WIDTH)
                if case["residual"] == "admin":
                    draw(f"{prefix}.{omega_name(stack, sublayer)}", WIDTH, scale=0.1, mean=1.3)
                if case["residual"] != "rezero":
                    norm(f"{prefix}.{NORM_NAMES[sublayer]}")
            if case["residual"].startswith("rezero"):
                draw(f"{prefix}.rezero_weight", 1, scale=0.1, mean=0.4)
            if case["residual"] == "look-linear":
                half = FFN // 2
                with torch.no_grad():
                    weights[f"{prefix}.fc1.weight"][half:] = -weights[f"{prefix}.fc1.weight"][:half]
                    weights[f"{prefix}.fc2.weight"][:, half:] = -weights[f"{prefix}.fc2.weight"][:, :half]
        if is_pre_ln(case["residual"], stack):
            norm(f"{stack}.layer_norm")
    if case["shareEmbeddings"] == "none":
        table("decoder.embed_out", vocabulary["target"])
    return weights


class Model:
    def __init__(self, case, weights):
        self.case = case
        self.weights = weights
        self.residual = case["residual"]

    def layer_norm(self, x, name):
        centred = x - x.mean(-1, keepdim=True)
        variance = (centred**2).mean(-1, keepdim=True)
        gain, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return centred / torch.sqrt(variance + 1e-5) * gain + bias

    def attention(self, name, queries, keys, causal):
        """Scaled dot-product attention, head by head; queries [n, d], keys [m, d]."""
        weights = self.weights
        if f"{name}.in_proj_weight" in weights:
            in_q, in_k, in_v = weights[f"{name}.in_proj_weight"].split(WIDTH)
        else:
            in_q, in_k, in_v = (weights[f"{name}.{which}_proj_weight"] for which in "qkv")
        bias_q, bias_k, bias_v = weights[f"{name}.in_proj_bias"].split(WIDTH)
        size = WIDTH // HEADS
        q = (queries @ in_q.T + bias_q) / math.sqrt(size)
        k = keys @ in_k.T + bias_k
        v = keys @ in_v.T + bias_v
        heads = []
        for start in range(0, WIDTH, size):
            columns = slice(start, start + size)
            scores = q[:, columns] @ k[:, columns].T
            if causal:
                hidden = torch.ones_like(scores, dtype=torch.bool).triu(1)
                scores = scores.masked_fill(hidden, -math.inf)
            heads.append(torch.softmax(scores, -1) @ v[:, columns])
        mixed = self.inner_norm(torch.cat(heads, 1), f"{name}.inner_attn_ln")
        return mixed @ weights[f"{name}.out_proj.weight"].T + weights[f"{name}.out_proj.bias"]

    def inner_norm(self, x, name):
        """Sub-LN: what the last linear map of a branch reads."""
        return self.layer_norm(x, name) if f"{name}.weight" in self.weights else x

    def feed_forward(self, prefix, x):
        weights = self.weights
        inner = x @ weights[f"{prefix}.fc1.weight"].T + weights[f"{prefix}.fc1.bias"]
        if self.case["activationFn"] == "relu":
            inner = torch.clamp(inner, min=0)
        else:
            inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
        inner = self.inner_norm(inner, f"{prefix}.ffn_layernorm")
        return inner @ weights[f"{prefix}.fc2.weight"].T + weights[f"{prefix}.fc2.bias"]

    def join(self, stack, layer, sublayer, x, branch):
        prefix = f"{stack}.layers.{layer}"
        norm = f"{prefix}.{NORM_NAMES[sublayer]}"
        if is_pre_ln(self.residual, stack):
            return x + branch(self.layer_norm(x, norm))
        if self.residual.startswith("rezero"):
            joined = x + self.weights[f"{prefix}.rezero_weight"] * branch(x)
            return joined if self.residual == "rezero" else self.layer_norm(joined, norm)
        if self.residual == "admin":
            shortcut = x * self.weights[f"{prefix}.{omega_name(stack, sublayer)}"]
        elif self.residual == "deepnorm":
            alpha = 0.81 * (LAYERS**4 * LAYERS) ** (1 / 16) if stack == "encoder" else (3 * LAYERS) ** 0.25
            shortcut = x * alpha
        else:
            shortcut = x
        return self.layer_norm(shortcut + branch(x), norm)

    def embed(self, stack, tokens):
        name = "encoder" if self.case["shareEmbeddings"] == "all" else stack
        vectors = self.weights[f"{name}.embed_tokens.weight"][tokens] * math.sqrt(WIDTH)
        positions = torch.arange(len(tokens)) + PAD + 1
        if self.case["positions"] == "learned":
            return vectors + self.weights[f"{stack}.embed_positions.weight"][positions]
        half = WIDTH // 2
        rates = torch.exp(-math.log(10000) / (half - 1) * torch.arange(half))
        angles = positions[:, None] * rates
        return vectors + torch.cat([torch.sin(angles), torch.cos(angles)], 1)

    def stack(self, stack, tokens, memory=None):
        x = self.embed(stack, tokens)
        for layer in range(LAYERS):
            prefix = f"{stack}.layers.{layer}"
            causal = stack == "decoder"
            layer_input = x
            x = self.join(
                stack, layer, "self", x, lambda y: self.attention(f"{prefix}.self_attn", y, y, causal)
            )
            if memory is not None:
                x = self.join(
                    stack, layer, "encoder", x,
                    lambda y: self.attention(f"{prefix}.encoder_attn", y, memory, False),
                )
            feed_forward = lambda y: self.feed_forward(prefix, y)
            if self.residual == "b2t":  # LN(x_layer + x + FFN(x))
                x = self.layer_norm(layer_input + x + feed_forward(x), f"{prefix}.final_layer_norm")
            else:
                x = self.join(stack, layer, "fc", x, feed_forward)
        return self.layer_norm(x, f"{stack}.layer_norm") if is_pre_ln(self.residual, stack) else x

    def logits(self, source, target):
        """source and target end in </s>; [len(target), V]."""
        inputs = torch.tensor([2] + target[:-1])
        hidden = self.stack("decoder", inputs, self.stack("encoder", torch.tensor(source)))
        share = self.case["shareEmbeddings"]
        name = {
            "all": "encoder.embed_tokens.weight",
            "decoder": "decoder.embed_tokens.weight",
            "none": "decoder.embed_out",
        }[share]
        return hidden @ self.weights[name].T

    def losses(self, batch):
        logits = torch.cat([self.logits(source, target) for source, target in batch])
        targets = torch.tensor([token for _, target in batch for token in target])
        log_probs = logits - torch.logsumexp(logits, 1, keepdim=True)
        nll = -log_probs[torch.arange(len(targets)), targets].sum()
        smooth = -log_probs.sum() / logits.shape[1]
        return logits, (1 - SMOOTHING) * nll + SMOOTHING * smooth, nll
