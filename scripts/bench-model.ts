import { readFileSync } from 'node:fs';
import { type Batch, packBatch } from '../src/data/batch.js';
import { EOS } from '../src/data/dictionary.js';
import { MODELS } from '../src/workflows/self-test/models.js';

export { BATCH_TOKENS as MAX_TOKENS, MODELS, newUpdater } from '../src/workflows/self-test/models.js';

/** The models of the bench. */
export type ModelName = 'A' | 'B' | 'C';

export const VOCABULARY = MODELS.A.vocabulary;

/** Batches as the coordinator wrote them: lists of pairs. */
export function readBatches(file: string): Batch[] {
  const lists = JSON.parse(readFileSync(file, 'utf8')) as { source: number[]; target: number[] }[][];
  return lists.map((pairs) =>
    packBatch(
      [...pairs.keys()],
      pairs.map(({ source, target }) => ({
        source: Int32Array.from(source),
        target: Int32Array.from(target),
      })),
      EOS,
    ),
  );
}

/** A linear map of a step: rows, width in, width out, and how often it stands in the model. */
export interface Product {
  rows: number;
  from: number;
  to: number;
  times: number;
}

/**
 * The matrix products of one step on a batch: what forward and both gradients have to multiply, attention's small
 * products left out.
 */
export function productsOf(name: ModelName, batch: Batch): Product[] {
  const { width, inner, encoder, decoder } = MODELS[name];
  const [source, target] = [batch.source.tokens.length, batch.targetOutput.length];
  const feedForward = (rows: number, layers: number): Product[] => [
    { rows, from: width, to: inner, times: layers },
    { rows, from: inner, to: width, times: layers },
  ];
  return [
    { rows: source, from: width, to: 3 * width, times: encoder },
    { rows: source, from: width, to: width, times: encoder },
    ...feedForward(source, encoder),
    { rows: target, from: width, to: 3 * width, times: decoder },
    { rows: target, from: width, to: width, times: 3 * decoder }, // both outputs, and the query to the encoder
    { rows: source, from: width, to: 2 * width, times: decoder },
    ...feedForward(target, decoder),
    { rows: target, from: width, to: VOCABULARY, times: 1 },
  ];
}
