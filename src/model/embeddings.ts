import { UserError } from '../common/errors.js';
import type { ModelConfig } from '../config/schema.js';
import { embedding } from '../ops/embedding.js';
import { tf } from '../ops/tf.js';
import { embeddingName, PADDING_INDEX } from './parameters.js';
import type { Pass } from './pass.js';
import type { Stack } from './scheme.js';

/** The first position; fairseq counts positions from the padding index on. */
const FIRST_POSITION = PADDING_INDEX + 1;

/**
 * Token embeddings · √d (where the config says so) + position embeddings, then dropout.
 *
 * @param tokens [T]
 * @param positions of each token in its sentence, from 0, [T]
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
  const vectors = embedding(tokens, pass.matrix(embeddingName(config, stack)));
  const scaled = config.scaleEmbeddings ? tf.mul<tf.Tensor2D>(vectors, Math.sqrt(config.embedDim)) : vectors;
  return pass.dropout(tf.add(scaled, positionEmbeddings(pass, stack, positions)));
}

/** Positions of packed tokens in their sentences, from 0, [T]. */
export function positionsOf(offsets: Int32Array): Int32Array {
  const positions = new Int32Array(offsets[offsets.length - 1]);
  for (let i = 0; i + 1 < offsets.length; i++) {
    for (let row = offsets[i]; row < offsets[i + 1]; row++) positions[row] = row - offsets[i];
  }
  return positions;
}

function positionEmbeddings(pass: Pass, stack: Stack, positions: Int32Array): tf.Tensor2D {
  if (pass.config.positions === 'learned') {
    const rows = positions.map((position) => position + FIRST_POSITION);
    return embedding(rows, pass.matrix(`${stack}.embed_positions.weight`));
  }
  return tf.tensor2d(sinusoids(positions, pass.config), [positions.length, pass.config.embedDim]);
}

/**
 * Sinusoidal position embeddings in fairseq's layout (modules/sinusoidal_positional_embedding.py): all sines, then
 * all cosines, of p · 10000^(−i / (d/2 − 1)), p counted from padding index + 1; [T · d].
 */
export function sinusoids(positions: Int32Array, { embedDim }: ModelConfig): Float32Array {
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
