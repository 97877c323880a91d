import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Purpose, RandomStream } from '../../../src/common/rng.js';
import { type Drawing, draw } from '../../../src/decode/choice/sample.js';

const PROBABILITIES = [0, 0, 0.05, 0.3, 0.2, 0.3, 0.1, 0.05];
const LOG_PROBS = Float32Array.from(PROBABILITIES, Math.log);
const DRAWS = 20_000;

/** Pearson's χ² of draws against what is expected, where that is not 0; nothing else may come. */
function chiSquared(expected: readonly number[], drawing: Drawing): number {
  const stream = new RandomStream({ seed: 11, step: 0, purpose: Purpose.test });
  const counts = new Array<number>(expected.length).fill(0);
  for (let i = 0; i < DRAWS; i++) counts[draw(LOG_PROBS, stream.nextUniform(), drawing)]++;
  return expected.reduce((sum, p, id) => {
    if (p === 0) assert.equal(counts[id], 0, `id ${id} must not come`);
    return p === 0 ? sum : sum + (counts[id] - DRAWS * p) ** 2 / (DRAWS * p);
  }, 0);
}

const normalized = (weights: readonly number[]): number[] => {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
};

/** 99.9 % of χ² with 5 degrees of freedom is below this, and more of it with fewer. */
const LIMIT = 20.5;

test('tokens come as often as they are probable, by whatever is asked', () => {
  const cases: [Drawing, number[]][] = [
    [{}, PROBABILITIES],
    [{ temperature: 0.5 }, normalized(PROBABILITIES.map((p) => p ** 2))],
    [{ temperature: 2 }, normalized(PROBABILITIES.map((p) => Math.sqrt(p)))],
    [{ samplingTopk: 3 }, normalized([0, 0, 0, 0.3, 0.2, 0.3, 0, 0])],
    // Of equal ones the lower id.
    [{ samplingTopk: 5 }, normalized([0, 0, 0.05, 0.3, 0.2, 0.3, 0.1, 0])],
    [{ samplingTopp: 0.55 }, normalized([0, 0, 0, 0.3, 0, 0.3, 0, 0])],
    [{ samplingTopp: 0.75 }, normalized([0, 0, 0, 0.3, 0.2, 0.3, 0, 0])],
    [{ samplingTopk: 3, samplingTopp: 0.7 }, normalized([0, 0, 0, 0.3, 0, 0.3, 0, 0])],
    [{ samplingTopk: 1 }, [0, 0, 0, 1, 0, 0, 0, 0]],
    [{ samplingTopp: 1e-9 }, [0, 0, 0, 1, 0, 0, 0, 0]],
  ];
  for (const [drawing, expected] of cases) {
    const found = chiSquared(expected, drawing);
    assert.ok(found < LIMIT, `${JSON.stringify(drawing)}: χ² ${found}`);
  }
  assert.ok(
    chiSquared([0, 0, 0.06, 0.28, 0.2, 0.3, 0.11, 0.05], {}) > LIMIT,
    'the test sees a wrong distribution',
  );
});

test('what is left to draw from is what a sort of all would leave', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, -0.1, -1, -3, -8, -20, -80, -Infinity), { minLength: 1, maxLength: 60 }),
      fc.option(fc.integer({ min: 1, max: 70 }), { nil: null }),
      fc.option(fc.constantFrom(1e-9, 0.3, 0.9, 0.9999, 1), { nil: null }),
      fc.constantFrom(0.1, 1, 5),
      (given, samplingTopk, samplingTopp, temperature) => {
        const logProbs = Float32Array.from(given);
        fc.pre(given.some(Number.isFinite));
        const most = Math.max(...logProbs);
        const weights = Array.from(logProbs, (value) => Math.exp((value - most) / temperature));
        let kept = weights
          .map((weight, id) => ({ weight, id }))
          .sort((a, b) => b.weight - a.weight || a.id - b.id);
        if (samplingTopk !== null) kept = kept.slice(0, samplingTopk);
        if (samplingTopp !== null) {
          const enough =
            samplingTopp * kept.toSorted((a, b) => a.id - b.id).reduce((sum, { weight }) => sum + weight, 0);
          let sum = 0;
          const end = kept.findIndex(({ weight }) => {
            sum += weight;
            return sum >= enough;
          });
          if (end !== -1) kept = kept.slice(0, end + 1);
        }
        const expected = new Set(kept.filter(({ weight }) => weight > 0).map(({ id }) => id));
        const drawing = { samplingTopk, samplingTopp, temperature };
        const likely = [...expected].filter((id) => weights[id] > 1e-3);
        const drawn = new Set(
          Array.from({ length: 4000 }, (_, i) => draw(logProbs, (i + 0.5) / 4000, drawing)),
        );
        for (const id of drawn) assert.ok(expected.has(id));
        for (const id of likely) assert.ok(drawn.has(id) || weights[id] < 60 / 4000);
      },
    ),
    { numRuns: 150 },
  );
});

test('the last of what may be where rounding leaves a rest, and none where nothing may be', () => {
  assert.equal(draw(LOG_PROBS, 1 - 2 ** -32, {}), 7);
  assert.equal(draw(new Float32Array(4).fill(Number.NEGATIVE_INFINITY), 0.5, {}), -1);
});
