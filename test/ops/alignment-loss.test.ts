import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alignmentLoss,
  alignmentLossReference,
  type HeadChoice,
  type WeightedLinks,
} from '../../src/ops/alignment-loss.js';
import { attentionWeights } from '../../src/ops/attention-weights.js';
import { layoutOf } from '../../src/ops/padding.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix, offsetsOf } from './samples.js';

interface Case {
  name: string;
  queries: number[];
  keys: number[];
  choice: HeadChoice;
  links: WeightedLinks;
  /** Columns before those of the keys in a wider tensor. */
  column?: number;
  /** Rows of padding after the queries. */
  padding?: number;
}

const linksOf = (...links: [row: number, column: number, weight: number][]): WeightedLinks => ({
  rows: Int32Array.from(links, ([row]) => row),
  columns: Int32Array.from(links, ([, column]) => column),
  weights: Float32Array.from(links, ([, , weight]) => weight),
});

const MIXED = linksOf([0, 1, 1], [2, 0, 0.5], [2, 1, 0.5], [3, 5, 1], [8, 0, 1]);
const MIXED_LENGTHS = { queries: [3, 1, 5], keys: [2, 6, 1] };
const CASES: Case[] = [
  { name: 'one head of three', ...MIXED_LENGTHS, choice: { heads: 3, head: 1 }, links: MIXED },
  { name: 'the mean of three', ...MIXED_LENGTHS, choice: { heads: 3, head: null }, links: MIXED },
  { name: 'one that there is', ...MIXED_LENGTHS, choice: { heads: 1, head: 0 }, links: MIXED },
  {
    name: 'keys of a wider tensor',
    ...MIXED_LENGTHS,
    choice: { heads: 2, head: 1 },
    links: MIXED,
    column: 3,
  },
  { name: 'padding', ...MIXED_LENGTHS, choice: { heads: 2, head: null }, links: MIXED, padding: 4 },
  {
    name: 'sentences of one length',
    ...{ queries: [2, 2], keys: [3, 3], choice: { heads: 2, head: null } },
    links: linksOf([0, 2, 1], [3, 0, 0.25], [3, 2, 0.75]),
  },
  {
    name: 'padding of one sentence',
    queries: [2],
    keys: [3],
    choice: { heads: 1, head: 0 },
    links: linksOf([1, 2, 1]),
    padding: 1,
  },
  { name: 'no links', queries: [2, 1], keys: [1, 3], choice: { heads: 2, head: null }, links: linksOf() },
];

const WIDTH = 6;
const sum = (lengths: readonly number[]) => lengths.reduce((total, length) => total + length, 0);

const asOp =
  (loss: typeof alignmentLoss, { queries, keys, choice, links, column }: Case): Op =>
  (q, k) => {
    const rows = k as tf.Tensor2D;
    const of = column === undefined ? rows : { tensor: rows, column };
    return loss(q as tf.Tensor2D, of, offsetsOf(queries), offsetsOf(keys), links, choice, WIDTH);
  };

const inputsOf = ({ queries, keys, column = 0, padding = 0 }: Case): tf.Tensor2D[] => [
  matrix(sum(queries) + padding, WIDTH, 3),
  matrix(sum(keys), WIDTH + 2 * column, 4),
];

onEachBackend((backend) => {
  // A graphics card in software takes seconds for a case.
  for (const example of backend === 'webgpu' ? CASES.slice(3, 5) : CASES) {
    test(`value and gradients: ${example.name}`, () => {
      checkOp(asOp(alignmentLoss, example), asOp(alignmentLossReference, example), inputsOf(example));
    });
  }

  test('it is the cross-entropy of what attentionWeights gives', () => {
    for (const example of CASES.filter(({ column }) => column === undefined)) {
      tf.tidy(() => {
        const { queries, keys, choice, links } = example;
        const [q, k] = inputsOf(example);
        const offsets = [offsetsOf(queries), offsetsOf(keys)] as const;
        const grid = attentionWeights(q, k, ...offsets, choice, WIDTH).dataSync();
        const { toPacked } = layoutOf(offsets[0]);
        let expected = 0;
        links.rows.forEach((row, i) => {
          const weight = grid[toPacked[row] * Math.max(...keys) + links.columns[i]];
          expected -= links.weights[i] * Math.log(weight + 1e-6);
        });
        allClose(asOp(alignmentLoss, example)(q, k), [expected], { absolute: 2e-5 });
      });
    }
  });

  test('finite where an attention has come to nothing', () => {
    const [q, k] = [
      tf.tensor2d([[1000, 0]]),
      tf.tensor2d([
        [1, 0],
        [-1, 0],
      ]),
    ];
    const one = linksOf([0, 1, 1]);
    const op: Op = (a, b) =>
      alignmentLoss(
        a as tf.Tensor2D,
        b as tf.Tensor2D,
        offsetsOf([1]),
        offsetsOf([2]),
        one,
        { heads: 1, head: 0 },
        2,
      );
    const { value, grads } = tf.valueAndGrads(op)([q, k]);
    allClose(value, [-Math.log(1e-6)], { absolute: 1e-3 });
    for (const gradient of grads) assert.ok(gradient.dataSync().every(Number.isFinite));
    tf.dispose([q, k, value, grads]);
  });
});
