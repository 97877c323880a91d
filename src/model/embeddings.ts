import { UserError } from '../common/errors.js';
import type { ModelConfig } from '../config/schema.js';
import type { Packed } from '../data/batch.js';
import { placedEmbedding } from '../ops/embedding.js';
import { tf } from '../ops/tf.js';
import { embeddingName, PADDING_INDEX } from './parameters.js';
import type { Pass } from './pass.js';
import type { Stack } from './scheme.js';

/** The first position; fairseq counts positions from the padding index on. */
export const FIRST_POSITION = PADDING_INDEX + 1;

/**
 * Token embeddings · √d (where the config says so) + position embeddings, then dropout. The first token of the decoder is
 * `</s>`, in whose place `<pad>` may be read.
 *
 * @param tokens [T]
 * @param positions of each token in its sentence, from 0; PADDING_POSITION of padding, which has no position; [T]
 * @returns [T, d]
 * @throws UserError when a sentence is longer than max-positions
 */
export function embed(pass: Pass, stack: Stack, tokens: Int32Array, positions: Int32Array): tf.Tensor2D {
  const { config } = pass;
  const longest = positions.reduce((most, position) => Math.max(most, position + 1), 0);
  if (longest > config.maxPositions) {
    throw new UserError({
      problem: `expected sentences of at most ${config.maxPositions} tokens, found one of ${longest}`,
      where: 'model.max-positions',
      hint: 'Shorten the sentence, or train with a larger max-positions.',
    });
  }
  const starts = stack === 'decoder' && config.decoderStart === 'pad';
  const read = starts ? tokens.map((token, i) => (positions[i] === 0 ? PADDING_INDEX : token)) : tokens;
  return placedEmbedding(read, pass.matrix(embeddingName(config, stack)), {
    scale: config.scaleEmbeddings ? Math.sqrt(config.embedDim) : 1,
    ...positionTable(pass, stack, positions, longest),
    dropout: config.dropout,
    key: pass.nextMask(),
    precision: pass.precision,
  });
}

/** What stands for the position of padding: its row of a table is that of the padding index, which is zero. */
const PADDING_POSITION = -1;

/** Positions of packed tokens in their sentences, from 0, and of their padding, [T]. */
export function positionsOf({ tokens, offsets }: Packed): Int32Array {
  const positions = new Int32Array(tokens.length).fill(PADDING_POSITION);
  for (let i = 0; i + 1 < offsets.length; i++) {
    for (let row = offsets[i]; row < offsets[i + 1]; row++) positions[row] = row - offsets[i];
  }
  return positions;
}

/** The table of positions and each token's row in it. */
function positionTable(
  pass: Pass,
  stack: Stack,
  positions: Int32Array,
  longest: number,
): { positions: tf.Tensor2D; places: Int32Array } {
  if (pass.config.positions === 'learned') {
    return {
      positions: pass.matrix(`${stack}.embed_positions.weight`),
      places: positions.map((position) => position + FIRST_POSITION),
    };
  }
  const { embedDim } = pass.config;
  const values = sinusoidTable(longest, embedDim).subarray(0, longest * embedDim);
  const table = tf.tensor2d(values, [longest, embedDim]);
  if (!positions.includes(PADDING_POSITION)) return { positions: table, places: positions };
  return {
    positions: tf.concat([table, tf.zeros([1, embedDim])]),
    places: positions.map((position) => (position === PADDING_POSITION ? longest : position)),
  };
}

const tables = new Map<number, Float32Array>();

/** The sinusoids of at least the first `length` positions, kept by width. */
function sinusoidTable(length: number, embedDim: number): Float32Array {
  const known = tables.get(embedDim);
  if (known !== undefined && known.length >= length * embedDim) return known;
  const table = sinusoids(
    Int32Array.from({ length: 2 * length }, (_, i) => i),
    { embedDim },
  );
  tables.set(embedDim, table);
  return table;
}

/**
 * Sinusoidal position embeddings in fairseq's layout (modules/sinusoidal_positional_embedding.py): all sines, then
 * all cosines, of p · 10000^(−i / (d/2 − 1)), p counted from padding index + 1; [T · d].
 */
export function sinusoids(positions: Int32Array, { embedDim }: Pick<ModelConfig, 'embedDim'>): Float32Array {
  const half = Math.floor(embedDim / 2);
  const values = new Float32Array(positions.length * embedDim);
  const rate = Math.log(10000) / Math.max(half - 1, 1);
  positions.forEach((position, row) => {
    for (let i = 0; i < half; i++) {
      const angle = (position + FIRST_POSITION) * Math.exp(-rate * i);
      values[row * embedDim + i] = Math.sin(angle);
      values[row * embedDim + half + i] = Math.cos(angle);
    }
  });
  return values;
}
