#!/usr/bin/python3
"""Reads what `admin-nmt export --format safetensors` writes into PyTorch, and computes log-probabilities with it.

    python3 pytorch-loader.py FOLDER < pairs.jsonl

Each line of pairs.jsonl is [source, target], two lists of token ids that end in </s> (2); each line of the output is
the list of log p(token | source, tokens before) of its target. Needs PyTorch alone. For your own code: load(FOLDER)
gives the config and the weights by their official names, log_probs(...) is the whole model, one sentence at a time.
"""
import json
import math
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

PAD, EOS = 1, 2


def load(folder):
    """The `model` section of the config, and the weights: {official name: float32 tensor}."""
    config = json.loads((Path(folder) / 'config.json').read_text())['model']
    data = bytearray((Path(folder) / 'model.safetensors').read_bytes())
    length = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:8 + length])
    weights = {}
    for name, entry in header.items():
        if name != '__metadata__':
            start, end = (8 + length + offset for offset in entry['data_offsets'])
            weights[name] = torch.frombuffer(data, dtype=torch.float32, count=(end - start) // 4, offset=start)
            weights[name] = weights[name].reshape(entry['shape'])
    return config, weights


def log_probs(config, weights, source, target):
    """log p of every entry of the vocabulary after each target token, [len(target), V]."""
    memory = stack(config, weights, 'encoder', source, None)
    start = PAD if config.get('decoder-start') == 'pad' else EOS
    hidden = stack(config, weights, 'decoder', [start] + target[:-1], memory)
    shared = {'all': 'encoder.embed_tokens.weight', 'decoder': 'decoder.embed_tokens.weight', 'none': 'decoder.embed_out'}
    logits = hidden @ weights[shared[config['share-embeddings']]].T
    return F.log_softmax(logits + weights.get('decoder.output_bias', 0), dim=-1)


def stack(config, weights, name, tokens, memory):
    x = embed(config, weights, name, tokens)
    for i in range(config[name]['layers']):
        x = layer(config, weights, f'{name}.layers.{i}.', x, memory)
    return norm(weights, f'{name}.layer_norm', x) if is_pre_ln(config, name) else x


def embed(config, weights, name, tokens):
    table = 'encoder' if config['share-embeddings'] == 'all' else name
    scale = math.sqrt(config['embed-dim']) if config['scale-embeddings'] else 1.0
    places = torch.arange(2, 2 + len(tokens))  # fairseq counts positions from the id of <pad> on
    if config['positions'] == 'learned':
        positions = weights[f'{name}.embed_positions.weight'][places]
    else:
        half = config['embed-dim'] // 2
        rates = torch.exp(torch.arange(half, dtype=torch.float64) * -(math.log(10000) / max(half - 1, 1)))
        angles = places[:, None] * rates[None, :]
        positions = torch.cat([angles.sin(), angles.cos()], dim=1).float()
    return scale * weights[f'{table}.embed_tokens.weight'][torch.tensor(tokens)] + positions


def layer(config, weights, prefix, x, memory):
    own = 'attention_ratio_change' if memory is None else 'self_ratio_change'
    below = x if config['residual'] == 'b2t' else 0  # bottom to top: the input of the layer comes again at its end
    x = sublayer(config, weights, prefix, 'self_attn_layer_norm', own, x,
                 lambda y: attention(config, weights, f'{prefix}self_attn.', y, y, causal=memory is not None))
    if memory is not None:
        x = sublayer(config, weights, prefix, 'encoder_attn_layer_norm', 'encoder_ratio_change', x,
                     lambda y: attention(config, weights, f'{prefix}encoder_attn.', y, memory, causal=False))
    return sublayer(config, weights, prefix, 'final_layer_norm', 'fc_ratio_change', x,
                    lambda y: feed_forward(config, weights, prefix, y), below)


def sublayer(config, weights, prefix, norm_name, omega_name, x, branch, below=0):
    """Joins a branch f and its shortcut x: LN(x·ω + f(x)) in Admin; docs/model.md has all of them."""
    residual = config['residual']
    if is_pre_ln(config, prefix):
        return x + branch(norm(weights, prefix + norm_name, x))
    if residual == 'admin':
        x, y = x * weights[prefix + omega_name], branch(x)
    elif residual == 'deepnorm':
        x, y = alpha(config, prefix) * x, branch(x)
    elif residual in ('rezero', 'rezero-post-ln'):
        y = weights[f'{prefix}rezero_weight'] * branch(x)
    else:
        y = branch(x)
    return x + y if residual == 'rezero' else norm(weights, prefix + norm_name, x + below + y)


def is_pre_ln(config, prefix):
    decoder = prefix.startswith('decoder')
    return config['residual'] in ('pre-ln', 'sub-ln') or (config['residual'] == 'post-ln-pre-ln' and decoder)


def alpha(config, prefix):
    n, m = config['encoder']['layers'], config['decoder']['layers']
    return 0.81 * (n ** 4 * m) ** (1 / 16) if prefix.startswith('encoder') else (3 * m) ** (1 / 4)


def norm(weights, name, x):
    return F.layer_norm(x, x.shape[-1:], weights[f'{name}.weight'], weights[f'{name}.bias'])


def inner_norm(weights, name, x):
    """What the last linear map of a branch reads: in Sub-LN x normalised, else x."""
    return norm(weights, name, x) if f'{name}.weight' in weights else x


def feed_forward(config, weights, prefix, x):
    inner = F.linear(x, weights[f'{prefix}fc1.weight'], weights[f'{prefix}fc1.bias'])
    inner = {'relu': F.relu, 'gelu': F.gelu, 'swish': F.silu}[config['activation-fn']](inner)
    inner = inner_norm(weights, f'{prefix}ffn_layernorm', inner)
    return F.linear(inner, weights[f'{prefix}fc2.weight'], weights[f'{prefix}fc2.bias'])


def attention(config, weights, prefix, x, memory, causal):
    if f'{prefix}in_proj_weight' in weights:
        matrices = weights[f'{prefix}in_proj_weight'].chunk(3)
    else:
        matrices = [weights[f'{prefix}{part}_proj_weight'] for part in 'qkv']
    biases = weights[f'{prefix}in_proj_bias'].chunk(3)
    heads = config['attention-heads']
    q, k, v = (F.linear(y, w, b).reshape(len(y), heads, -1).transpose(0, 1)
               for y, w, b in zip((x, memory, memory), matrices, biases))
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    if causal:
        scores = scores.masked_fill(torch.ones(len(x), len(x)).triu(1).bool(), -math.inf)
    mixed = (scores.softmax(dim=-1) @ v).transpose(0, 1).reshape(len(x), -1)
    mixed = inner_norm(weights, f'{prefix}inner_attn_ln', mixed)
    return F.linear(mixed, weights[f'{prefix}out_proj.weight'], weights[f'{prefix}out_proj.bias'])


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    CONFIG, WEIGHTS = load(sys.argv[1])
    for line in sys.stdin:
        SOURCE, TARGET = json.loads(line)
        with torch.no_grad():
            table = log_probs(CONFIG, WEIGHTS, SOURCE, TARGET)
        print(json.dumps([table[i, token].item() for i, token in enumerate(TARGET)]))
