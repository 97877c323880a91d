import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeZip } from '../src/formats/zip.js';

/** Makes small models in the form of Marian's, as those of Opus-MT are: random weights, options, a vocabulary. */

export interface MarianShape {
  width: number;
  inner: number;
  heads: number;
  layers: number;
  /** Symbols, `</s>` and `<unk>` among them. */
  vocabulary: number;
}

export const SMALL: MarianShape = { width: 8, inner: 12, heads: 2, layers: 2, vocabulary: 14 };

export type MarianArrays = Map<string, { shape: number[]; data: Float32Array }>;

/** The options of a Transformer as marian-train writes them into a model, those that matter here. */
export function marianOptions(shape: MarianShape, changes: Record<string, unknown> = {}): string {
  const options = {
    type: 'transformer',
    'dim-emb': shape.width,
    'dim-vocabs': [shape.vocabulary, shape.vocabulary],
    'enc-depth': shape.layers,
    'dec-depth': shape.layers,
    'transformer-heads': shape.heads,
    'transformer-dim-ffn': shape.inner,
    'transformer-ffn-depth': 2,
    'transformer-ffn-activation': 'swish',
    'transformer-no-projection': false,
    'transformer-preprocess': '',
    'transformer-postprocess': 'dan',
    'transformer-postprocess-emb': 'd',
    'transformer-decoder-autoreg': 'self-attention',
    'transformer-tied-layers': [],
    'transformer-train-position-embeddings': false,
    'tied-embeddings': false,
    'tied-embeddings-all': true,
    'tied-embeddings-src': false,
    'right-left': false,
    'ulr-dim-emb': 0,
    'transformer-dropout': 0.1,
    version: 'v1.9.0',
    ...changes,
  };
  return Object.entries(options)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
    .join('');
}

/** Weights under Marian's names. @param random gives numbers around 0 */
export function marianArrays(
  { width, inner, layers, vocabulary }: MarianShape,
  random: () => number,
  tied: 'all' | 'decoder' | 'none' = 'all',
): MarianArrays {
  const arrays: MarianArrays = new Map();
  const add = (name: string, shape: number[], middle = 0): void => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    arrays.set(name, { shape, data: data.map(() => middle + random()) });
  };
  const norm = (prefix: string): void => {
    add(`${prefix}_ln_scale`, [1, width], 1);
    add(`${prefix}_ln_bias`, [1, width]);
  };
  if (tied === 'all') add('Wemb', [vocabulary, width]);
  else for (const stack of ['encoder', 'decoder']) add(`${stack}_Wemb`, [vocabulary, width]);
  if (tied === 'none') add('decoder_ff_logit_out_W', [width, vocabulary]);
  add('decoder_ff_logit_out_b', [1, vocabulary]);
  for (const [stack, attentions] of [
    ['encoder', ['self']],
    ['decoder', ['self', 'context']],
  ] as const) {
    for (let layer = 1; layer <= layers; layer++) {
      const prefix = `${stack}_l${layer}`;
      for (const attention of attentions) {
        for (const part of 'qkvo') {
          add(`${prefix}_${attention}_W${part}`, [width, width]);
          add(`${prefix}_${attention}_b${part}`, [1, width]);
        }
        norm(`${prefix}_${attention}_Wo`);
      }
      add(`${prefix}_ffn_W1`, [width, inner]);
      add(`${prefix}_ffn_b1`, [1, inner]);
      add(`${prefix}_ffn_W2`, [inner, width]);
      add(`${prefix}_ffn_b2`, [1, width]);
      norm(`${prefix}_ffn_ffn`);
    }
  }
  return arrays;
}

/** The bytes of a .npy. */
export function npy(descr: string, shape: readonly number[], data: Uint8Array): Buffer {
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  return npyWith(`{'descr': '${descr}', 'fortran_order': False, 'shape': (${axes}), }`, data);
}

/** The same with a header of any text. */
export function npyWith(header: string, data: Uint8Array, claimed?: number): Buffer {
  const text = Buffer.from(`${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(claimed ?? text.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, text, data]);
}

/** The files of an archive of a model. */
export function marianFiles(options: string, arrays: MarianArrays): Map<string, Uint8Array> {
  const text = Buffer.from(`${options}\0`);
  const files = new Map<string, Uint8Array>([['special:model.yml.npy', npy('|i1', [text.length], text)]]);
  for (const [name, { shape, data }] of arrays)
    files.set(
      `${name}.npy`,
      npy('<f4', shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    );
  return files;
}

/** The lines of a vocabulary: `</s>`, `<unk>`, then letters with quotes as YAML has them. */
export function marianVocabulary(size: number): string {
  const symbols = ['</s>', '<unk>', '▁a', '"', '\\', "'", ': ', '#', '1', 'é', '😀'];
  for (let i = symbols.length; i < size; i++) symbols.push(`▁w${i}`);
  return symbols
    .slice(0, size)
    .map((symbol, id) => `${/^[▁<\w][\w/>]*$/.test(symbol) ? symbol : JSON.stringify(symbol)}: ${id}\n`)
    .join('');
}

/** Writes `model.npz` and `vocab.yml`. */
export function writeMarianModel(folder: string, options: string, arrays: MarianArrays, size: number): void {
  fs.mkdirSync(folder, { recursive: true });
  writeZip(path.join(folder, 'model.npz'), marianFiles(options, arrays));
  fs.writeFileSync(path.join(folder, 'vocab.yml'), marianVocabulary(size));
}
