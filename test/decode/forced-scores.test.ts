import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import type { Batch } from '../../src/data/batch.js';
import { EOS } from '../../src/data/dictionary.js';
import {
  type ForcedLogProbs,
  type GivenUnit,
  ScoreSums,
  scoreUnits,
  type TargetScore,
} from '../../src/decode/forced-scores.js';
import { hashTable } from './table-model.js';

const table = hashTable(9, 5);
const OPTIONS = { maxTokens: 12, batchSize: 3, maxPositions: 5, block: 4 };

/** The table, a batch at a time. */
function tableScorer(seen: Batch[]): ForcedLogProbs {
  return async (batch) => {
    seen.push(batch);
    const { source, targetInput, targetOutput } = batch;
    const logProbs = new Float32Array(targetOutput.length);
    for (let i = 0; i + 1 < source.offsets.length; i++) {
      const from = [...source.tokens.subarray(source.offsets[i], source.offsets[i + 1])];
      const [start, end] = [targetInput.offsets[i], targetInput.offsets[i + 1]];
      assert.equal(targetInput.tokens[start], EOS);
      for (let t = start; t < end; t++)
        logProbs[t] = table(from, [...targetInput.tokens.subarray(start + 1, t + 1)])[targetOutput[t]];
    }
    return logProbs;
  };
}

const unit = (source: number[], ...targets: number[][]): GivenUnit => ({
  source: Int32Array.from(source),
  targets: targets.map((ids) => ({ ids: Int32Array.from(ids), text: ids.join(' ') })),
  write: () => '',
});

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

async function score(units: readonly GivenUnit[], seen: Batch[] = []): Promise<TargetScore[][]> {
  const scores: TargetScore[][] = [];
  for await (const block of scoreUnits(each(units), tableScorer(seen), OPTIONS))
    for (const scored of block) {
      assert.equal(scored.unit, units[scores.length], 'the order of the input');
      scores.push(scored.scores);
    }
  return scores;
}

/** As float32. */
const tokenScores = (source: number[], target: number[]): number[] =>
  target.map((id, t) => Math.fround(table(source, target.slice(0, t))[id]));

describe('translations that are given', () => {
  test('each gets the scores of its tokens, whatever is beside it', async () => {
    const units = Array.from({ length: 11 }, (_, i) => {
      const source = [...Array.from({ length: i % 4 }, (_, j) => 4 + ((i + j) % 5)), EOS];
      const targets = Array.from({ length: i % 3 }, (_, n) => [
        ...Array.from({ length: (i + 2 * n) % 5 }, (_, j) => 3 + ((i * n + j) % 6)),
        EOS,
      ]);
      return unit(source, ...targets);
    });
    const batches: Batch[] = [];
    const found = await score(units, batches);
    assert.equal(found.length, units.length);
    units.forEach(({ source, targets }, i) => {
      targets.forEach(({ ids }, n) => {
        const logProbs = tokenScores([...source], [...ids]);
        assert.deepEqual(found[i][n], { logProbs, total: logProbs.reduce((sum, value) => sum + value, 0) });
      });
    });
    for (const { source, indices } of batches) {
      assert.ok(indices.length <= OPTIONS.batchSize);
      assert.ok(source.tokens.length <= OPTIONS.maxTokens);
    }
  });

  test('blank beside blank is nothing; blank beside text is an end alone; too long is impossible', async () => {
    const found = await score([
      unit([], [], [4, EOS]),
      unit([4, EOS], [], [4, 4, 4, 4, 4, EOS], [4, 4, 4, 4, EOS]),
    ]);
    assert.deepEqual(found[0][0], { logProbs: [], total: 0 });
    assert.deepEqual(found[0][1].logProbs, tokenScores([EOS], [4, EOS]));
    assert.deepEqual(found[1][0].logProbs, tokenScores([4, EOS], [EOS]));
    assert.deepEqual(found[1][1], { logProbs: [], total: Number.NEGATIVE_INFINITY });
    assert.equal(found[1][2].logProbs.length, 5);
    const sums = new ScoreSums();
    for (const entry of found.flat()) sums.add(entry, 2);
    assert.equal(sums.tooLong, 1);
    assert.deepEqual([sums.sentences, sums.tokens, sums.words], [4, 0 + 2 + 1 + 5, 12]);
  });

  test('blocks are written as they are complete', async () => {
    let read = 0;
    async function* counted() {
      for (let i = 0; i < 9; i++) {
        read++;
        yield unit([4, EOS], [4, EOS]);
      }
    }
    const blocks = scoreUnits(counted(), tableScorer([]), OPTIONS);
    await blocks.next();
    assert.equal(read, OPTIONS.block);
  });

  test('a model that gives no number is refused', async () => {
    const broken: ForcedLogProbs = async ({ targetOutput }) =>
      new Float32Array(targetOutput.length).fill(Number.NaN);
    await assert.rejects(scoreUnits(each([unit([EOS], [EOS])]), broken, OPTIONS).next(), UserError);
  });
});
