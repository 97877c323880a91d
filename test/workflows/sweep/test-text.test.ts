import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../src/config/load.js';
import { BLEU, pairedTest } from '../../../src/metrics/sacrebleu.js';
import {
  compareGroups,
  scoreTest,
  type Translated,
  testMetrics,
} from '../../../src/workflows/sweep/test-text.js';

const references = Array.from({ length: 12 }, (_, i) => `the cat number ${i} sat on the mat in house ${i} .`);
const translated = (every: number, shift: number): Translated => ({
  references,
  hypotheses: references.map((line, i) => ((i + shift) % every === 0 ? 'a dog' : line)),
});

test('segments of all seeds that both have are compared, paired by seed', async () => {
  const metrics = await testMetrics(loadConfig({}).config);
  const baseline = new Map([1, 2, 3].map((seed) => [seed, translated(2, seed)]));
  const other = new Map([2, 1].map((seed) => [seed, translated(5, seed)]));
  const found = compareGroups(metrics, baseline, other)!;
  const pool = (group: Map<number, Translated>) => [2, 1].flatMap((seed) => group.get(seed)!.hypotheses);
  const expected = pairedTest([pool(baseline), pool(other)], metrics, [[...references, ...references]], {
    type: 'ar',
  });
  const [bleu, chrf] = expected.map(({ results }) => results[1].pValue);
  assert.equal(found.seeds, 2);
  assert.deepEqual(found.bleu, { p: bleu, finding: 'differs' });
  assert.deepEqual(found.chrf, { p: chrf, finding: 'differs' });
});

test('trainings that translate alike do not differ', async () => {
  const metrics = await testMetrics(loadConfig({}).config);
  const one = translated(2, 1);
  const found = compareGroups(metrics, new Map([[1, one]]), new Map([[1, { ...one }]]))!;
  assert.deepEqual([found.bleu.finding, found.chrf.finding], ['same text', 'same text']);
});

test('without a seed in common, or with other references, there is nothing to compare', async () => {
  const metrics = await testMetrics(loadConfig({}).config);
  const one = translated(2, 0);
  assert.equal(compareGroups(metrics, new Map([[1, one]]), new Map([[2, one]])), null);
  const foreign = { ...one, references: references.map((line) => `${line}?`) };
  assert.equal(compareGroups(metrics, new Map([[1, one]]), new Map([[1, foreign]])), null);
});

test('scores are those of the score section', async () => {
  const upper = { references, hypotheses: references.map((line) => line.toUpperCase()) };
  const score = async (sets: string[]) =>
    scoreTest(await testMetrics(loadConfig({ sets }).config), upper).bleu;
  assert.equal(await score(['score.lowercase=true']), 100.00000000000004);
  assert.ok((await score([])) < 20);
});

test('the target language chooses the tokenizer, whatever it is called', async () => {
  const [bleu] = await testMetrics(loadConfig({ sets: ['data.target-lang=zho_Hans'] }).config);
  assert.match(bleu instanceof BLEU ? bleu.tokenizer : '', /^zh$/);
});
