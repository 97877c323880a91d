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
        assert.deepEqual(
          [baseline, same, worse].map(({ finding }) => finding),
          [undefined, 'same text', 'differs'],
        );
        assert.equal(baseline.confidence === undefined, type === 'ar');
        assert.match(signature.format(), new RegExp(`^nrefs:1\\|${type}:400\\|seed:12345\\|`));
      }
    });
  }

  /** What the tests find of a baseline and a system, each metric under both kinds of test. */
  const findings = (baseline: string[], system: string[], references = reference) =>
    (['bs', 'ar'] as const).map((type) =>
      pairedTest([baseline, system], metrics(), [references], { type, samples: 1000 }).map(
        ({ results }) => results[1],
      ),
    );
  const all = (found: ReturnType<typeof findings>) => [
    ...new Set(found.flat().map(({ finding }) => finding)),
  ];

  test('p is as small as can be where nothing differs, and then says nothing', () => {
    const other = near.map((line) => line.replaceAll('x', 'y'));
    const found = findings(near, other);
    assert.notDeepEqual(near, other);
    assert.deepEqual(all(found), ['same counts']);
    assert.ok(found.flat().every(({ pValue }) => pValue === 1 / 1001));
  });

  test('few lines that differ are chance, whatever p is', () => {
    const changed = (count: number) =>
      reference.map((line, i) => (i % 7 === 2 && i < 7 * count ? 'x' : line));
    for (const count of [1, 2, 5]) {
      const found = findings(reference, changed(count));
      assert.deepEqual(all(found), ['may be chance'], `${count}`);
      assert.ok(found[1].every(({ pValue }) => pValue === 1 / 1001)); // all trials tie, or are less one-sided
    }
    assert.deepEqual(all(findings(reference, changed(6))), ['differs']);
  });

  test('trials that tie count', () => {
    // Of eight lines that differ by one word seven speak for one side: 18 of the 256 ways to exchange are as one-sided, or more.
    const base = reference.map((line, i) => (i === 0 ? `${line} x` : line));
    const system = reference.map((line, i) => (i >= 1 && i < 8 ? `${line} x` : line));
    const [bleu, , ter] = findings(base, system)[1];
    for (const { pValue, finding } of [bleu, ter]) {
      assert.ok(pValue! < 0.02, `${pValue}`);
      assert.equal(finding, 'may be chance');
    }
  });

  test('equal scores of different lines are no difference', () => {
    const alternating = (rest: number) => reference.map((line, i) => (i % 2 === rest ? 'x' : line));
    const same = reference.map(() => reference[1]);
    const found = findings(
      alternating(0).map((line, i) => (line === 'x' ? line : same[i])),
      alternating(1).map((line, i) => (line === 'x' ? line : same[i])),
      same,
    );
    assert.deepEqual(all(found), ['may be chance']);
    const none = ['qq', 'qq qq', 'qq qq qq'];
    const cycle = (by: number) => reference.map((_, i) => none[(i + by) % 3]); // no line matches at all
    const [bootstrap, randomization] = findings(cycle(0), cycle(1));
    for (const result of [bootstrap[0], randomization[0]])
      assert.deepEqual([result.score, result.finding], [0, 'may be chance']);
  });

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
