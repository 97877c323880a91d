import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AttentionOptions, attention, attentionReference } from '../../src/ops/attention.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { attentionOracle } from './attention-oracle.js';
import { onAllBackends, onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix, offsetsOf, rowsOf } from './samples.js';

const KEY = { seed: 2 ** 32 + 17, step: 5, site: 9 };
const PLAIN: AttentionOptions = { heads: 1, causal: false, dropout: 0, key: null };
const sum = (lengths: readonly number[]) => lengths.reduce((total, length) => total + length, 0);

interface Case {
  queries: number[];
  keys: number[];
  /** Of one head. */
  width: number;
  options: AttentionOptions;
}

/** Query, key and value, [T, heads · width]. */
const inputsOf = ({ queries, keys, width, options: { heads } }: Case): tf.Tensor2D[] =>
  [queries, keys, keys].map((lengths, i) => matrix(sum(lengths), heads * width, 10 + i));

const asOp =
  (attend: typeof attention, { queries, keys, options }: Case): Op =>
  (q, k, v) =>
    attend(
      q as tf.Tensor2D,
      k as tf.Tensor2D,
      v as tf.Tensor2D,
      offsetsOf(queries),
      offsetsOf(keys),
      options,
    );

function compareWithOracle(example: Case): void {
  tf.tidy(() => {
    const inputs = inputsOf(example);
    const [q, k, v] = inputs.map(rowsOf);
    const offsets = [offsetsOf(example.queries), offsetsOf(example.keys)] as const;
    const expected = attentionOracle(q, k, v, ...offsets, example.options).flat();
    allClose(asOp(attention, example)(...inputs), expected, { absolute: 2e-6 });
  });
}

const DROPOUT = [{}, { dropout: 0.4, key: KEY }];
const SELF = [[1], [1, 1, 1], [4, 4], [2, 5, 1], [13, 1, 1, 2, 1, 1]];
const CROSS = [
  [[1], [7]],
  [
    [3, 1, 2],
    [1, 6, 2],
  ],
  [
    [2, 2],
    [3, 3],
  ],
  [
    [1, 1, 1, 1],
    [1, 9, 1, 1],
  ],
  [
    [0, 2, 1],
    [2, 1, 3],
  ],
];

const cases: Case[] = DROPOUT.flatMap((dropping) =>
  [1, 3].flatMap((heads) => [
    ...[false, true].flatMap((causal) =>
      SELF.map((lengths) => ({
        queries: lengths,
        keys: lengths,
        width: 3,
        options: { ...PLAIN, ...dropping, heads, causal },
      })),
    ),
    ...CROSS.map(([queries, keys]) => ({
      queries,
      keys,
      width: 2,
      options: { ...PLAIN, ...dropping, heads },
    })),
  ]),
);

const nameOf = ({ queries, keys, options: { heads, causal, dropout } }: Case): string =>
  `${queries} to ${keys}, ${heads} heads${causal ? ', causal' : ''}${dropout > 0 ? ', dropout' : ''}`;

test('with dropout on, the same numbers on every backend', async () => {
  const example = cases.find(({ options }) => options.dropout > 0 && options.heads === 3)!;
  const results = [
    ...(
      await onAllBackends(() =>
        tf.tidy(() => {
          const inputs = inputsOf(example);
          return [asOp(attention, example)(...inputs), ...tf.grads(asOp(attention, example))(inputs)].flatMap(
            (x) => [...x.dataSync()],
          );
        }),
      )
    ).values(),
  ];
  for (const values of results) allClose(values, results[0]);
});

onEachBackend(() => {
  test('values, worked in doubles, with the mask of the documented indices', () => {
    for (const example of cases) compareWithOracle(example);
  });

  test('random shapes', () => {
    const length = fc.integer({ min: 1, max: 9 });
    const sentences = fc.array(fc.tuple(length, length), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        sentences,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        fc.boolean(),
        (pairs, heads, width, causal, drop) => {
          const [keys, queries] = [0, 1].map((side) => pairs.map((sizes) => sizes[side]));
          const options = { heads, causal, dropout: drop ? 0.3 : 0, key: drop ? KEY : null };
          compareWithOracle({ queries, keys, width, options });
        },
      ),
      { seed: 7, numRuns: 40 },
    );
  });

  for (const example of cases) {
    test(`gradients: ${nameOf(example)}`, () => {
      checkOp(asOp(attention, example), asOp(attentionReference, example), inputsOf(example));
    });
  }

  test('one tensor as query, key and value gets all three gradients', () => {
    const [offsets, options] = [offsetsOf([2, 5, 1]), { ...PLAIN, heads: 2, causal: true }];
    const self =
      (attend: typeof attention): Op =>
      (x) =>
        attend(x as tf.Tensor2D, x as tf.Tensor2D, x as tf.Tensor2D, offsets, offsets, options);
    checkOp(self(attention), self(attentionReference), [matrix(8, 6)]);
  });

  test('a key without dropout and dropout without a key leave the weights', () => {
    tf.tidy(() => {
      const example = cases.find(({ options }) => options.heads === 3 && options.causal)!;
      const inputs = inputsOf(example);
      const found = [{}, { key: KEY }, { dropout: 0.5 }].map((change) =>
        asOp(attention, { ...example, options: { ...example.options, ...change } })(...inputs),
      );
      for (const x of found) allClose(x, found[0], { absolute: 0, relative: 0 });
    });
  });

  test('scores of 1e4 and −1e9 pick one key, zeros average', () => {
    tf.tidy(() => {
      const attend = (q: number[], k: number[], v: number[], causal = false) =>
        attention(
          tf.tensor2d(q, [q.length, 1]),
          tf.tensor2d(k, [k.length, 1]),
          tf.tensor2d(v, [v.length, 1]),
          Int32Array.of(0, q.length),
          Int32Array.of(0, k.length),
          { ...PLAIN, causal },
        );
      allClose(attend([1e4, -1e9, 0], [1, 0, -1], [1, 2, 6]), [1, 6, 3]);
      allClose(attend([1e4, -1e9, 0], [1, 0, -1], [1, 2, 6], true), [1, 2, 3]);
      allClose(attend([-1e9, -1e9], [1, 1], [4, 8]), [6, 6]);
    });
  });

  test('no queries in any sentence: nothing comes out', () => {
    tf.tidy(() => {
      const none = tf.zeros<tf.Rank.R2>([0, 2]);
      const [k, v] = [matrix(3, 2, 1), matrix(3, 2, 2)];
      const found = attention(none, k, v, Int32Array.of(0, 0, 0), Int32Array.of(0, 1, 3), PLAIN);
      assert.deepEqual(found.shape, [0, 2]);
    });
  });
});
