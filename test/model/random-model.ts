import type { ModelConfig } from '../../src/config/schema.js';
import { pack } from '../../src/data/batch.js';
import { EOS } from '../../src/data/dictionary.js';
import { IncrementalDecoder } from '../../src/model/incremental.js';
import { Transformer, type VocabularySizes, type WeightValues } from '../../src/model/transformer.js';

/** A model whose weights, ω and biases among them, are none of those that do nothing. */
export function randomModel(
  config: ModelConfig,
  vocabulary: VocabularySizes,
): { model: Transformer; weights: Map<string, WeightValues> } {
  const initial = Transformer.create(config, vocabulary, 3);
  let state = 11;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  };
  const weights = new Map(
    [...initial.weights].map(([name, { shape, size }]) => {
      const data = Float32Array.from({ length: size }, random);
      const around = /norm\.weight|ratio_change/.test(name) ? 1 : 0;
      return [name, { shape, data: data.map((value) => around + value) }];
    }),
  );
  initial.dispose();
  return { model: Transformer.fromWeights(config, vocabulary, weights), weights };
}

/**
 * Log-probabilities step by step.
 *
 * @param sources ids, ending in `</s>` @param targets of one length, `</s>` left out
 * @returns [row][token][id]
 */
export async function stepwiseLogProbs(
  model: Transformer,
  sources: number[][],
  targets: readonly (readonly number[])[],
): Promise<Float32Array[][]> {
  const decoder = new IncrementalDecoder(model);
  const state = decoder.start();
  state.add(pack(sources));
  const found: Float32Array[][] = sources.map(() => []);
  for (let k = 0; k <= targets[0].length; k++) {
    const all = await state.distribution(
      Int32Array.from(targets, (target) => (k === 0 ? EOS : target[k - 1])),
    );
    const size = model.vocabulary.target;
    found.forEach((row, i) => {
      row.push(all.slice(i * size, (i + 1) * size));
    });
  }
  state.dispose();
  decoder.dispose();
  return found;
}

/** The largest difference; ∞ where one is NaN. */
export function farthest(found: ArrayLike<number>[][], expected: ArrayLike<number>[][]): number {
  let apart = 0;
  expected.forEach((row, i) => {
    row.forEach((values, k) => {
      for (let id = 0; id < values.length; id++) {
        const difference = Math.abs(values[id] - found[i][k][id]);
        apart = Math.max(apart, Number.isNaN(difference) ? Infinity : difference);
      }
    });
  });
  return apart;
}
