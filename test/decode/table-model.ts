import assert from 'node:assert/strict';
import type { Packed } from '../../src/data/batch.js';
import type { Continuations, StepModel, StepState } from '../../src/decode/step-model.js';

/** Natural log-probabilities of the next token, [vocabulary], given a source and what was written so far. */
export type Table = (source: readonly number[], prefix: readonly number[]) => ArrayLike<number>;

/** A model whose every probability is a table's: no tensors, no arithmetic. */
export class TableModel implements StepModel {
  readonly vocabularySize: number;
  readonly table: Table;
  /** Rows fed in each step since the model was made. */
  readonly rowsPerStep: number[] = [];
  /** Tokens of the sources of those rows, each source once. */
  readonly sourcesPerStep: number[][] = [];
  /** Batches that were started and not disposed of. */
  open = 0;

  constructor(vocabularySize: number, table: Table) {
    this.vocabularySize = vocabularySize;
    this.table = table;
  }

  start(): StepState {
    this.open++;
    return new TableState(this);
  }
}

class TableState implements StepState {
  private readonly model: TableModel;
  private rows: { sentence: number; source: number[]; prefix: number[] }[] = [];
  private sentences = 0;

  constructor(model: TableModel) {
    this.model = model;
  }

  add({ tokens, offsets }: Packed): void {
    for (let i = 0; i + 1 < offsets.length; i++) {
      const source = [...tokens.subarray(offsets[i], offsets[i + 1])];
      this.rows.push({ sentence: this.sentences++, source, prefix: [] });
    }
  }

  async step(tokens: Int32Array, k: number, forbid: readonly number[]): Promise<Continuations> {
    const all = this.feed(tokens);
    const best = all.flatMap((logProbs) => {
      const allowed = Array.from(logProbs, (_, id) => id).filter((id) => !forbid.includes(id));
      assert.ok(k <= allowed.length);
      return allowed
        .sort((a, b) => logProbs[b] - logProbs[a] || a - b)
        .slice(0, k)
        .map((id) => ({ id, logProb: logProbs[id] }));
    });
    return {
      ids: Int32Array.from(best, ({ id }) => id),
      logProbs: Float32Array.from(best, ({ logProb }) => logProb),
      endLogProbs: Float32Array.from(all, (logProbs) => logProbs[2]),
    };
  }

  async distribution(tokens: Int32Array): Promise<Float32Array> {
    return Float32Array.from(this.feed(tokens).flatMap((logProbs) => [...logProbs]));
  }

  select(rows: Int32Array): void {
    this.rows = Array.from(rows, (row) => ({ ...this.rows[row], prefix: [...this.rows[row].prefix] }));
    for (let i = 1; i < this.rows.length; i++) {
      assert.ok(this.rows[i - 1].sentence <= this.rows[i].sentence, 'sentences keep their order');
    }
  }

  dispose(): void {
    this.model.open--;
  }

  private feed(tokens: Int32Array): Float32Array[] {
    assert.equal(tokens.length, this.rows.length);
    this.model.rowsPerStep.push(tokens.length);
    const lengths = new Map(this.rows.map(({ sentence, source }) => [sentence, source.length]));
    this.model.sourcesPerStep.push([...lengths.values()]);
    this.rows.forEach(({ prefix }, row) => {
      prefix.push(tokens[row]);
    });
    return this.rows.map((_, row) => this.logProbs(row));
  }

  /** The table never sees the `</s>` that starts every translation. */
  private logProbs(row: number): Float32Array {
    const { source, prefix } = this.rows[row];
    return Float32Array.from(this.model.table(source, prefix.slice(1)));
  }
}

/** log softmax in double precision. */
export function logSoftmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const logSum = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
  return logits.map((logit) => logit - logSum);
}

/**
 * A table of pseudo-random logits in steps of 1/4096, so that any language can make the same one:
 * h ← (1103515245·h + 12345 + token) mod 2^31 over source and prefix, then for each id once more.
 *
 * @param sharpness logits lie in [0, sharpness)
 */
export function hashTable(vocabularySize: number, sharpness: number): Table {
  const mix = (hash: number, token: number): number =>
    Number((1103515245n * BigInt(hash) + 12345n + BigInt(token)) % 2147483648n);
  return (source, prefix) => {
    const hash = [...source, -1, ...prefix].reduce((h, token) => mix(h, token + 1), 42);
    const logits = Array.from({ length: vocabularySize }, (_, id) => {
      const value = mix(mix(hash, 7919 * (id + 1)), id) >>> 11;
      return ((value % 4096) / 4096) * sharpness;
    });
    return logSoftmax(logits);
  };
}
