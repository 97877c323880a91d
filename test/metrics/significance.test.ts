import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { BLEU, CHRF, formatScore, pairedTest, TER } from '../../src/metrics/sacrebleu.js';
import { bootstrapConfidence, pairedBootstrap } from '../../src/metrics/significance.js';

const lines = (seed: number, noise: number) =>
  Array.from({ length: 60 }, (_, i) =>
    Array.from({ length: 12 }, (_, j) => {
      const changed = (i * 31 + j * 17 + seed * 7) % 100 < noise;
      return changed ? `x${(i + j + seed) % 5}` : `w${(i * j) % 23}`;
    }).join(' '),
  );
const reference = lines(0, 0);
const [near, far] = [lines(1, 10), lines(2, 60)];
const metrics = () => [new BLEU(), new CHRF(), new TER()];

describe('confidence', () => {
  test('is nothing where every line is right', () => {
    const score = new BLEU().corpusScore(reference, [reference], {});
    assert.ok(Math.abs(score.score - 100) < 1e-9);
    assert.ok(score.confidence!.interval < 1e-4);
  });

  test('is part of what is printed and of the signature', () => {
    const metric = new BLEU();
    const score = metric.corpusScore(near, [reference], { resamples: 100, seed: 3 });
    assert.match(formatScore(score), / = \d+\.\d\d \(μ = \d+\.\d\d ± \d+\.\d\d\) /);
    assert.match(metric.getSignature().format(), /^nrefs:1\|bs:100\|seed:3\|case/);
    assert.match(metric.getSignature().format(true), /^#:1\|bs:100\|rs:3\|c:/);
    metric.corpusScore(near, [reference]);
    assert.match(metric.getSignature().format(), /^nrefs:1\|case/);
  });

  test('surrounds the score, and shrinks with the square root of the corpus', () => {
    const interval = (times: number) => {
      const metric = new BLEU();
      const repeated = (texts: string[]) => Array.from({ length: times }, () => texts).flat();
      const corpus = metric.addAll(repeated(near), [repeated(reference)], true);
      const { score } = corpus.score();
      const confidence = bootstrapConfidence({ metric, segments: corpus.segments! }, 300);
      assert.ok(Math.abs(confidence.mean - score) < confidence.interval);
      return confidence.interval;
    };
    const ratio = interval(1) / interval(9);
    assert.ok(ratio > 2.4 && ratio < 3.7, `${ratio}`);
  });
});

describe('paired tests', () => {
  for (const type of ['bs', 'ar'] as const) {
    test(`${type}: a system and itself do not differ, a worse one does`, () => {
      const tested = pairedTest([near, near, far], metrics(), [reference], { type, samples: 400 });
      assert.deepEqual(
        tested.map(({ name }) => name),
        ['BLEU', 'chrF2', 'TER'],
      );
      for (const { results, signature } of tested) {
        const [baseline, same, worse] = results;
        assert.equal(baseline.pValue, undefined);
        assert.equal(same.score, baseline.score);
        assert.equal(worse.pValue, 1 / 401);
        assert.equal(baseline.confidence === undefined, type === 'ar');
        assert.match(signature.format(), new RegExp(`^nrefs:1\\|${type}:400\\|seed:12345\\|`));
      }
    });
  }

  test('one system is not enough, and all need the same lines', () => {
    const pair = (systems: string[][]) => () => pairedTest(systems, metrics(), [reference], { type: 'bs' });
    assert.throws(pair([near]), UserError);
    assert.throws(pair([near, far.slice(1)]), UserError);
    const metric = new BLEU();
    const measured = [near, far.slice(1)].map((hypotheses, i) => [
      { metric, segments: metric.addAll(hypotheses, [reference.slice(i)], true).segments! },
    ]);
    assert.throws(() => pairedBootstrap(measured), /equally many segments, found 60, 59/);
  });
});
