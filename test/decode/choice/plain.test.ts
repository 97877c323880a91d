import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainAsking } from '../../../src/decode/choice/plain.js';
import { type Link, ranked, root } from '../../../src/decode/hypothesis.js';
import type { Group, Sentence } from '../../../src/decode/sentence.js';
import type { StepModel, StepState } from '../../../src/decode/step-model.js';

const EOS = 2;
const SIZE = 30;

/** What a model offers for a row: k tokens, best first, among which many are equal and some cannot be. */
const row = (k: number) =>
  fc
    .tuple(
      fc.uniqueArray(fc.integer({ min: 2, max: SIZE - 1 }), { minLength: k, maxLength: k }),
      fc.array(fc.constantFrom(-0, -1, -1.5, -2, -3, -Infinity), { minLength: k, maxLength: k }),
    )
    .map(([ids, logProbs]) =>
      ids.map((id, i) => ({ id, logProb: logProbs[i] })).sort((a, b) => b.logProb - a.logProb || a.id - b.id),
    );

const cases = fc.integer({ min: 1, max: 4 }).chain((beam) =>
  fc.record({
    beam: fc.constant(beam),
    rows: fc.array(row(2 * beam), { minLength: beam + 1, maxLength: beam + 1 }),
    live: fc.array(fc.constantFrom(-1, -2, -2.5), { minLength: 1, maxLength: beam }),
    early: fc.boolean(),
  }),
);

test('of all that is offered the best are found, as if all were put in order', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ beam, rows, live: totals, early }) => {
      const k = 2 * beam;
      const top = {
        ids: Int32Array.from(rows.flat(), ({ id }) => id),
        logProbs: Float32Array.from(rows.flat(), ({ logProb }) => logProb),
        endLogProbs: new Float32Array(rows.length),
      };
      const options = { beam, lenpen: 1, maxLenA: 0, maxLenB: 9, minLen: 1, maxPositions: 9 };
      const ask = plainAsking({ vocabularySize: SIZE } as StepModel, options);
      const propose = await ask(
        { step: async () => top } as unknown as StepState,
        new Int32Array(rows.length),
      );
      const live: Link[] = totals.map((total, i) => ({ ...root(), total, row: i }));
      const sentence = { length: 3, minLength: early ? 4 : 0, maxLength: 9 } as Sentence;
      const group = { live, width: beam } as Group;
      const firstRow = rows.length - live.length; // other sentences come before
      const all = live.flatMap((parent, i) =>
        rows[firstRow + i]
          .filter(({ id }) => !early || id !== EOS)
          .map(({ id, logProb }) => ({ token: id, logProb, total: parent.total + logProb, row: i, parent })),
      );
      assert.deepEqual(propose(sentence, group, firstRow), ranked(all).slice(0, k));
    }),
    { numRuns: 500 },
  );
});
