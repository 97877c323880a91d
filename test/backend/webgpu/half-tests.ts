import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { packageRoot } from '../../../src/common/files.js';
import { smoothedCrossEntropy, smoothedCrossEntropyReference } from '../../../src/ops/cross-entropy.js';
import { type FeedForwardWeights, feedForward } from '../../../src/ops/feed-forward.js';
import { linear, linearReference } from '../../../src/ops/matmul.js';
import { tf } from '../../../src/ops/tf.js';
import { INITIAL_STATE, readStateFile } from '../../../src/train/state.js';
import { spawnProgram } from '../../cli/run-program.js';
import { allClose } from '../../ops/all-close.js';
import { matrix } from '../../ops/samples.js';
import { scratchFolder, trainTiny } from '../../train/tiny.js';
import { near, toHalf } from './half-values.js';
import { expectedOf, productOf, SIZES } from './products.js';

/* Run by half.test.ts, in a process whose card has half precision. */

describe('products in half precision', () => {
  before(() => initBackend('webgpu'));

  for (const [m, n, k] of SIZES) {
    test(`${m} × ${n} over ${k}: operands are rounded to it, sums are not`, () => {
      // As in a forward pass, in the gradient of a weight, and in that of an input.
      for (const [transposeA, transposeB] of [
        [false, true],
        [true, false],
        [false, false],
      ]) {
        const expected = expectedOf(m, n, k, transposeA, transposeB, toHalf);
        const [found] = productOf(m, n, k, { transposeA, transposeB, precision: 'float16' });
        allClose(found, expected, { absolute: 2e-5 });
      }
    });
  }

  test('a result of many of the widest tiles', () => {
    const [m, n, k] = [1500, 1410, 7];
    const [found] = productOf(m, n, k, { transposeB: true, precision: 'float16' });
    allClose(found, expectedOf(m, n, k, false, true, toHalf), { absolute: 2e-5 });
  });

  test('what is out of range becomes infinite; NaN and infinities stay', () => {
    const values = [
      65504,
      65519,
      65520,
      -65519,
      -70000,
      1e30,
      -Infinity,
      Infinity,
      NaN,
      2 ** -24,
      2 ** -26,
      0.1,
    ];
    const expected = [
      65504,
      65504,
      Infinity,
      -65504,
      -Infinity,
      Infinity,
      -Infinity,
      Infinity,
      NaN,
      2 ** -24,
      0,
    ];
    const one = tf.tensor2d([[1]]);
    const found = linear(tf.tensor2d(values, [values.length, 1]), one, null, 'float16').dataSync();
    assert.deepEqual([...found], [...expected, toHalf(0.1)]);
  });

  test('a product with sums of rows, in parts of its depth', () => {
    const [m, n, k] = [260, 259, 2050];
    const backend = tf.backend() as unknown as WebGpuBackend;
    const { info, buffer } = backend.output([m]);
    const [found] = productOf(m, n, k, { transposeA: true, rowSums: buffer, precision: 'float16' });
    allClose(found, expectedOf(m, n, k, true, false, toHalf), { absolute: 3e-4 });
    const rounded = matrix(k, m, 1).dataSync().map(toHalf);
    const sums = Float64Array.from({ length: m }, (_, row) => {
      let sum = 0;
      for (let d = 0; d < k; d++) sum += rounded[d * m + row];
      return sum;
    });
    allClose(backend.readSync(info.dataId) as Float32Array, sums, { absolute: 3e-4 });
    backend.disposeData(info.dataId);
  });

  test('in tiles, what is out of range or no number stays in its row', () => {
    const [rows, width, out] = [260, 40, 259];
    const x = matrix(rows, width, 1).dataSync();
    const strange = new Map([
      [3, Number.NaN],
      [70, 1e30],
      [259, Number.NEGATIVE_INFINITY],
    ]);
    for (const [row, value] of strange) x[row * width + 33] = value;
    const y = linear(tf.tensor2d(x, [rows, width]), tf.ones([out, width]), null, 'float16').dataSync();
    for (let row = 0; row < rows; row++) {
      const found = y.subarray(row * out, (row + 1) * out);
      const value = strange.get(row);
      const expected = value === 1e30 ? Number.POSITIVE_INFINITY : value;
      assert.ok(
        found.every((sum) => (expected === undefined ? Number.isFinite(sum) : Object.is(sum, expected))),
        `row ${row}: ${found.subarray(0, 3)}`,
      );
    }
  });

  for (const activation of ['relu', 'gelu'] as const) {
    test(`the feed-forward sublayer with ${activation} and its gradients, under dropout`, () => {
      const [rows, width, inner] = [260, 259, 261];
      const given = [
        matrix(rows, width, 1),
        matrix(inner, width, 2),
        tf.reshape(matrix(1, inner, 3), [inner]),
        matrix(width, inner, 4),
        tf.reshape(matrix(1, width, 5), [width]),
      ].map((each) => tf.tensor(each.dataSync().map(toHalf), each.shape)); // so that each ReLU lies on the same side
      const options = { activation, dropout: 0.3, key: { seed: 5, step: 3, site: 1 } };
      const outcomes = (precision: 'float32' | 'float16') => {
        const call = (...[x, fc1Weight, fc1Bias, fc2Weight, fc2Bias]: tf.Tensor[]) =>
          feedForward(x as tf.Tensor2D, { fc1Weight, fc1Bias, fc2Weight, fc2Bias } as FeedForwardWeights, {
            ...options,
            precision,
          });
        return [call(...given), ...tf.grads(call)(given, matrix(rows, width, 6))];
      };
      const exact = outcomes('float32');
      outcomes('float16').forEach((found, i) => {
        near(found, exact[i], 2e-3);
      });
    });
  }

  test('a linear map and its gradients are near those of float32', () => {
    for (const [rows, width, out] of [
      [7, 5, 3],
      [70, 65, 130],
    ]) {
      const given = [matrix(rows, width, 1), matrix(out, width, 2), tf.reshape(matrix(1, out, 3), [out])];
      const dy = matrix(rows, out, 4);
      const outcomes = (op: typeof linearReference) => {
        const call = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) =>
          op(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D);
        return [
          call(given[0], given[1], given[2]),
          ...tf.grads(call as (...args: tf.Tensor[]) => tf.Tensor)(given, tf.clone(dy)),
        ];
      };
      const found = outcomes((x, w, b) => linear(x, w, b, 'float16'));
      outcomes(linearReference).forEach((exact, i) => {
        near(found[i], exact, 1e-3);
      });
    }
  });

  test('the gradient of the loss is times its scale from the logits on, and does not vanish', () => {
    const [rows, width, size] = [9, 12, 4000];
    const [hidden, weight] = [matrix(rows, width, 1), matrix(size, width, 2)];
    const targets = Int32Array.from({ length: rows }, (_, i) => 7 * i);
    const gradients = (lossScale: number) =>
      tf.grads((h, w) =>
        lossScale === 0
          ? smoothedCrossEntropyReference(h as tf.Tensor2D, w as tf.Tensor2D, targets, 0.1).loss
          : smoothedCrossEntropy(h as tf.Tensor2D, w as tf.Tensor2D, targets, 0.1, 'float16', lossScale).loss,
      )([hidden, weight]);
    const exact = gradients(0);
    gradients(1024).forEach((found, i) => {
      near(tf.div(found, 1024), exact[i], 2e-3);
    });
  });
});

describe('a training in half precision', {
  // As where node was started through a loader of its own (docs/gpu.md).
  skip: !path.basename(process.execPath).startsWith('node') && 'a process does not know what starts another',
}, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-half-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const CONFIG = path.join(packageRoot(), 'test', 'cli', 'fixtures', 'run-v1', 'config.yaml');
  const DATA = path.join(packageRoot(), 'test', 'data', 'fixtures', 'joint');

  function train(name: string, updates: number, ...flags: string[]): string {
    const args = [
      ...['train', CONFIG, '--save-dir', path.join(folder, name), '--destdir', DATA, '--no-eval-bleu'],
      ...['--max-update', String(updates), '--save-interval-updates', '2', '--log-interval', '1', ...flags],
    ];
    const { status, stderr } = spawnProgram(args, { env: process.env });
    assert.equal(status, 0, stderr);
    return stderr;
  }
  const linesOf = (name: string): Record<string, unknown>[] =>
    readFileSync(path.join(folder, name, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const lossesOf = (name: string): number[] => linesOf(name).flatMap(({ loss }) => (loss as number) ?? []);
  const weights = (name: string): Buffer =>
    readFileSync(path.join(folder, name, 'checkpoint_last', 'model.safetensors'));

  test('its losses follow those of the reference in float32, and its loss is scaled', () => {
    train('reference', 10, '--backend', 'cpu');
    const messages = train('half', 10, '--backend', 'webgpu', '--fp16');
    assert.match(messages, /^Precision: float16 \(shader-f16, sums in float32\)$/m);
    const [expected, found] = [lossesOf('reference'), lossesOf('half')];
    assert.ok(expected.length >= 10);
    assert.equal(found.length, expected.length);
    const differences = found.map((loss, i) => Math.abs(loss - expected[i]) / expected[i]);
    assert.ok(Math.max(...differences) < 2e-3, `${differences}`);
    assert.ok(Math.max(...differences) > 1e-7, 'nothing was rounded');
    const scales = linesOf('half').flatMap(({ event, loss_scale }) =>
      event === 'train' ? [loss_scale] : [],
    );
    assert.ok(scales.length >= 10 && scales.every((scale) => scale === 128), `${scales}`);
  });

  test('interrupted and gone on with, it has the same bits', () => {
    train('again', 5, '--backend', 'webgpu', '--fp16');
    assert.match(train('again', 10, '--backend', 'webgpu', '--fp16'), /Going on from/);
    assert.ok(weights('again').equals(weights('half')));
  });

  test('where gradients overflow in half precision, updates are skipped and the scale is halved', async () => {
    const run = scratchFolder();
    const start = { ...INITIAL_STATE, lossScale: { scale: 2 ** 22, clean: 0 } };
    await trainTiny(run, { train: { precision: 'float16', maxUpdate: 14, saveInterval: 0 }, state: start });
    const { lossScale, doctor } = readStateFile(path.join(run, 'checkpoint_last', 'state.json')).state;
    assert.ok(lossScale!.scale < 2 ** 21 && lossScale!.clean > 0, JSON.stringify(lossScale));
    assert.equal(doctor.skipped, 0);
  });
});
