import { SCHEMES } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import type { OnnxGraph } from '../formats/onnx.js';
import { GraphBuilder } from './onnx-graph.js';
import {
  attended,
  embedded,
  feedForward,
  type KeysAndValues,
  layerNorm,
  maskOf,
  type OnnxParts,
  projections,
  residual,
} from './onnx-layers.js';
import { OUTPUT_BIAS, outputName } from './parameters.js';
import { layerPrefix, type Stack } from './scheme.js';
import type { WeightValues } from './transformer.js';

/**
 * A model as graphs of ONNX, which share no weight: what is done once for a sentence, and a step of the decoder. Names and
 * shapes are those of Hugging Face's `encoder_model` and `decoder_with_past_model`, but that the first one gives the keys
 * and values of the source, too, so that no other graph is needed for the first step.
 *
 * @param weights those of a model of this config, by official name
 */
export function onnxGraphs(
  config: ModelConfig,
  weights: ReadonlyMap<string, WeightValues>,
): Record<Stack, OnnxGraph> {
  const weight = (name: string): WeightValues => weights.get(name)!;
  return {
    encoder: encoderGraph({ graph: new GraphBuilder(), config, weight }),
    decoder: decoderGraph({ graph: new GraphBuilder(), config, weight }),
  };
}

/** Hidden states of the source, and the keys and values that each layer of the decoder reads. */
function encoderGraph(parts: OnnxParts): OnnxGraph {
  const { graph, config } = parts;
  const { embedDim } = config;
  const ids = graph.input('input_ids', 'int64', ['batch', 'source']);
  const mask = sourceMask(parts, graph.input('attention_mask', 'int64', ['batch', 'source']));
  const positions = graph.op('Range', [graph.int(0), graph.lengthOf(ids, 1), graph.int(1)]);
  let hidden = embedded(parts, 'encoder', ids, positions);
  for (let layer = 0; layer < config.encoder.layers; layer++) {
    const [site, prefix] = [{ stack: 'encoder', layer } as const, layerPrefix('encoder', layer)];
    const layerInput = hidden;
    hidden = residual(parts, { ...site, sublayer: 'self' }, hidden, (x) => {
      const [queries, keys, values] = projections(parts, `${prefix}self_attn.`, ['q', 'k', 'v'], x);
      return attended(parts, `${prefix}self_attn.`, queries, { keys, values }, mask);
    });
    hidden = residual(
      parts,
      { ...site, sublayer: 'fc' },
      hidden,
      (x) => feedForward(parts, prefix, x),
      layerInput,
    );
  }
  const memory = normed(parts, 'encoder', hidden);
  graph.output('last_hidden_state', memory, ['batch', 'source', embedDim]);
  for (let layer = 0; layer < config.decoder.layers; layer++) {
    const prefix = `${layerPrefix('decoder', layer)}encoder_attn.`;
    const [keys, values] = projections(parts, prefix, ['k', 'v'], memory);
    give(parts, `present.${layer}.encoder`, { keys, values }, 'source');
  }
  return graph.finish('encoder');
}

/** Logits of what follows each of some tokens, and the keys and values of all tokens so far. */
function decoderGraph(parts: OnnxParts): OnnxGraph {
  const { graph, config, weight } = parts;
  const ids = graph.input('input_ids', 'int64', ['batch', 'target']);
  const source = sourceMask(parts, graph.input('encoder_attention_mask', 'int64', ['batch', 'source']));
  const stored = Array.from({ length: config.decoder.layers }, (_, layer) => ({
    past: take(parts, `past_key_values.${layer}.decoder`, 'past'),
    source: take(parts, `past_key_values.${layer}.encoder`, 'source'),
  }));
  const { positions, mask } = places(parts, ids, stored[0].past.keys);
  let hidden = embedded(parts, 'decoder', ids, positions);
  stored.forEach(({ past, source: read }, layer) => {
    const [site, prefix] = [{ stack: 'decoder', layer } as const, layerPrefix('decoder', layer)];
    const layerInput = hidden;
    hidden = residual(parts, { ...site, sublayer: 'self' }, hidden, (x) => {
      const [queries, ...own] = projections(parts, `${prefix}self_attn.`, ['q', 'k', 'v'], x);
      const [keys, values] = [past.keys, past.values].map((before, i) => {
        return graph.op('Concat', [before, own[i]], { axis: { int: 2 } });
      });
      give(parts, `present.${layer}.decoder`, { keys, values }, 'past + target');
      return attended(parts, `${prefix}self_attn.`, queries, { keys, values }, mask);
    });
    hidden = residual(parts, { ...site, sublayer: 'encoder' }, hidden, (x) => {
      const [queries] = projections(parts, `${prefix}encoder_attn.`, ['q'], x);
      return attended(parts, `${prefix}encoder_attn.`, queries, read, source);
    });
    hidden = residual(
      parts,
      { ...site, sublayer: 'fc' },
      hidden,
      (x) => feedForward(parts, prefix, x),
      layerInput,
    );
  });
  // The table is turned when the model is loaded: where it is that of the embeddings, too, it is stored once.
  const name = outputName(config);
  const table = graph.op('Transpose', [graph.weight(name, () => weight(name))], { perm: { ints: [1, 0] } });
  const products = graph.op('MatMul', [normed(parts, 'decoder', hidden), table]);
  const logits = config.outputBias
    ? graph.op('Add', [products, graph.weight(OUTPUT_BIAS, () => weight(OUTPUT_BIAS))])
    : products;
  graph.output('logits', logits, ['batch', 'target', weight(name).shape[0]]);
  return graph.finish('decoder');
}

/** Positions of some tokens behind those of the past, and what each of them may see: itself and what is before it. */
function places(parts: OnnxParts, ids: string, past: string): { positions: string; mask: string } {
  const { graph } = parts;
  const first = graph.lengthOf(past, 2);
  const end = graph.op('Add', [first, graph.lengthOf(ids, 1)]);
  const positions = graph.op('Range', [first, end, graph.int(1)]);
  const all = graph.op('Range', [graph.int(0), end, graph.int(1)]);
  const column = graph.op('Unsqueeze', [positions, graph.int([1])]);
  return { positions, mask: maskOf(parts, graph.op('LessOrEqual', [all, column])) };
}

/** @param mask 1 for a token, 0 for padding behind it, [batch, source] @returns what is added to scores, [batch, 1, 1, source] */
function sourceMask(parts: OnnxParts, mask: string): string {
  const { graph } = parts;
  const wide = graph.op('Unsqueeze', [mask, graph.int([1, 2])]);
  return maskOf(parts, graph.op('Greater', [wide, graph.int(0)]));
}

function normed(parts: OnnxParts, stack: Stack, x: string): string {
  const { norm } = SCHEMES[parts.config.residual][stack];
  return norm === 'pre' ? layerNorm(parts, x, `${stack}.layer_norm`) : x;
}

const shapeOf = ({ embedDim: d, attentionHeads: heads }: ModelConfig, length: string) => {
  return ['batch', heads, length, d / heads] as const;
};

function take({ graph, config }: OnnxParts, name: string, length: string): KeysAndValues {
  const [keys, values] = ['key', 'value'].map((part) => {
    return graph.input(`${name}.${part}`, 'float', shapeOf(config, length));
  });
  return { keys, values };
}

function give(
  { graph, config }: OnnxParts,
  name: string,
  { keys, values }: KeysAndValues,
  length: string,
): void {
  graph.output(`${name}.key`, keys, shapeOf(config, length));
  graph.output(`${name}.value`, values, shapeOf(config, length));
}
