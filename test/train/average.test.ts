import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/formats/safetensors.js';
import { averageWeights, isAverage, refuseAverage, writeAverage } from '../../src/train/average.js';
import { ORIGIN, scratchFolder } from './tiny.js';

type Weights = Record<string, { shape: number[]; data: number[] }>;

const toArrays = (weights: Weights): Map<string, NamedArray> =>
  new Map(
    Object.entries(weights).map(([name, { shape, data }]) => [
      name,
      { shape, data: Float32Array.from(data) },
    ]),
  );

/** Writes each of them as the weights of a checkpoint. */
function filesOf(...models: Weights[]): string[] {
  const folder = scratchFolder();
  return models.map((weights, i) => {
    const file = path.join(folder, `checkpoint_1_${i}`, 'model.safetensors');
    writeSafetensors(file, toArrays(weights));
    return file;
  });
}

const vector = (...data: number[]): Weights => ({ w: { shape: [data.length], data } });

test('the mean of two by hand, with names, order and shapes kept', () => {
  const files = filesOf(
    { b: { shape: [2, 2], data: [1, 2, -3, 0.5] }, a: { shape: [], data: [7] } },
    { a: { shape: [], data: [8] }, b: { shape: [2, 2], data: [3, 2, 3, 0.25] } },
  );
  const expected = { b: { shape: [2, 2], data: [2, 2, 0, 0.375] }, a: { shape: [], data: [7.5] } };
  assert.deepEqual([...averageWeights(files)], [...toArrays(expected)]);
});

test('the mean of equal checkpoints is the same bit by bit', () => {
  const values = [0.1, -0, 0, 1e-45, -3.4028235e38, 1 / 3, Math.PI];
  for (const count of [1, 2, 3, 7]) {
    const mean = averageWeights(filesOf(...Array.from({ length: count }, () => vector(...values)))).get('w')!;
    assert.deepEqual([...mean.data], [...Float32Array.from(values)], `${count} of them`);
    assert.ok(Object.is(mean.data[1], -0));
  }
});

test('sums are of double precision: no overflow, nothing lost beside a large value', () => {
  const big = 3e38;
  const files = filesOf(vector(big, 1e8), vector(big, 1), vector(big, -1e8));
  assert.deepEqual([...averageWeights(files).get('w')!.data], [Math.fround(big), Math.fround(1 / 3)]);
});

test('the order does not matter beyond rounding', () => {
  const models = [0, 1, 2, 3].map((k) =>
    vector(...Array.from({ length: 50 }, (_, i) => Math.sin(50 * k + i))),
  );
  const files = filesOf(...models);
  const mean = averageWeights(files).get('w')!.data;
  const other = averageWeights([files[2], files[0], files[3], files[1]]).get('w')!.data;
  for (const [i, value] of mean.entries()) assert.ok(Math.abs(value - other[i]) <= 2 ** -24);
});

test('other names, other shapes and values that are not finite are refused with file and tensor', () => {
  const cases: [Weights, RegExp][] = [
    [{ v: { shape: [2], data: [1, 2] } }, /expected 'w' as in .*checkpoint_1_0.*, \[2\]; found none/],
    [{ ...vector(1, 2), v: { shape: [], data: [1] } }, /expected 'v' as in .*, none; found \[\]/],
    [vector(1, 2, 3), /expected 'w' as in .*, \[2\]; found \[3\]/],
    [{ w: { shape: [1, 2], data: [1, 2] } }, /\[2\]; found \[1,2\]/],
    [vector(1, Number.NaN), /found NaN in 'w' \(value 1\)/],
    [vector(Number.NEGATIVE_INFINITY, 1), /found -Infinity in 'w' \(value 0\)/],
  ];
  for (const [weights, pattern] of cases) {
    const files = filesOf(vector(1, 2), weights);
    assert.throws(
      () => averageWeights(files),
      (error) =>
        error instanceof UserError && pattern.test(error.message) && error.message.startsWith(files[1]),
    );
  }
});

test('an average is a folder with the weights and what went into it, and is not gone on from', async () => {
  const checkpoints = filesOf(vector(1), vector(2)).map((file, i) => ({
    name: `checkpoint_1_${i}`,
    folder: path.dirname(file),
    epoch: 1,
    updates: i,
    origin: ORIGIN,
    value: 0.5,
  }));
  const folder = path.join(scratchFolder(), 'checkpoint_average_2');
  await writeAverage(folder, checkpoints);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['average.json', 'checksums.json', 'model.safetensors']);
  const { tensors, metadata } = readSafetensors(path.join(folder, 'model.safetensors'));
  assert.deepEqual([...tensors.get('w')!.data], [1.5]);
  assert.deepEqual(metadata, { format: 'pt' });
  assert.deepEqual(JSON.parse(fs.readFileSync(path.join(folder, 'average.json'), 'utf8')), {
    format: 'admin-nmt/average',
    version: 1,
    origin: ORIGIN,
    checkpoints: [
      { name: 'checkpoint_1_0', epoch: 1, updates: 0 },
      { name: 'checkpoint_1_1', epoch: 1, updates: 1 },
    ],
  });
  assert.ok(isAverage(folder));
  assert.throws(() => refuseAverage(folder), /found an average, which has no state of the optimizer/);
  refuseAverage(checkpoints[0].folder);
});
