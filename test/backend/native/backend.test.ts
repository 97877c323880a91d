import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import type { NativeBackend } from '../../../src/backend/native/backend.js';
import { IMPLEMENTATIONS } from '../../../src/backend/native/kernels/implementations.js';
import { packageRoot } from '../../../src/common/files.js';
import { runFused } from '../../../src/ops/kernels.js';
import { tf } from '../../../src/ops/tf.js';
import { allClose } from '../../ops/all-close.js';
import { availableBackends } from '../../ops/backends.js';
import { matrix, vector } from '../../ops/samples.js';
import { throwsNaming } from './throws-naming.js';

const skip = availableBackends.includes('native') ? false : 'the native engine is not built';

describe('the native backend', { skip }, () => {
  before(() => initBackend('native', 2));

  test('has every kernel of the contract', () => {
    for (const name of Object.keys(IMPLEMENTATIONS))
      assert.notEqual(tf.getKernel(name, 'native'), null, name);
  });

  test('every op of the addon is called, and is named in one table alone', () => {
    const { isa, isas, bits, allocate, discard, setThreads, ...ops } = (tf.backend() as NativeBackend).addon;
    const textOf = (folder: string, ending: string): string =>
      readdirSync(path.join(packageRoot(), folder), { encoding: 'utf8', recursive: true })
        .filter((file) => file.endsWith(ending))
        .map((file) => readFileSync(path.join(packageRoot(), folder, file), 'utf8'))
        .join('\n');
    const [callers, tables] = [textOf('src/backend/native', '.ts'), textOf('native/src', '.cc')];
    assert.ok(Object.keys(ops).length > 20);
    for (const name of Object.keys(ops)) {
      assert.match(
        callers,
        new RegExp(`addon\\.${name}\\(|elementwise\\('${name}'\\)`),
        `nobody calls ${name}`,
      );
      const mentions = tables.match(new RegExp(`\\b${name}\\b`, 'g'));
      if (/[A-Z]/.test(name)) assert.equal(mentions?.length, 1, `${name} beside isa.cc`); // others are words of English
    }
  });

  test('computes with the instruction set that is asked for, or else the widest', (t) => {
    const { isa, isas } = (tf.backend() as NativeBackend).addon;
    assert.equal(isa, process.env.ADMIN_NMT_ISA || isas[0]);
    t.diagnostic(`computes with ${isa}`);
  });

  test('values that were read stay when the tensor goes and its memory is used again', () => {
    const x = tf.tensor1d([1, 2, 3]);
    const values = x.dataSync();
    x.dispose();
    const others = Array.from({ length: 8 }, () => tf.tensor1d([7, 8, 9]));
    assert.deepEqual([...values], [1, 2, 3]);
    tf.dispose(others);
  });

  test('a tensor has its own values: not those it was made of, not those it was cut from', () => {
    const source = Float32Array.of(1, 2, 3, 4);
    const whole = tf.tensor1d(source);
    source.fill(0);
    const part = tf.slice(whole, [1], [2]);
    whole.dispose();
    const others = Array.from({ length: 8 }, () => tf.tensor1d([7, 7, 7, 7]));
    assert.deepEqual([...part.dataSync()], [2, 3]);
    tf.dispose([part, others]);
  });

  test('memory that is not in use goes back to the system, and can be used again', {
    skip: process.platform !== 'linux',
  }, () => {
    const { arena } = tf.backend() as NativeBackend;
    const sum = (): number => tf.tidy(() => tf.sum(tf.ones([2 ** 25])).dataSync()[0]);
    const kept = tf.fill([1000], 3);
    assert.equal(sum(), 2 ** 25);
    const before = process.memoryUsage.rss();
    arena.trim();
    assert.ok(process.memoryUsage.rss() < before - 2 ** 26, `${before}, ${process.memoryUsage.rss()}`);
    assert.deepEqual([...new Set(kept.dataSync())], [3]);
    assert.equal(sum(), 2 ** 25);
    kept.dispose();
  });

  test('memory goes back when the last reference is dropped', () => {
    const { arena } = tf.backend() as NativeBackend;
    const used = arena.used;
    const x = tf.zeros([1000]);
    const [clone, reshaped] = [x.clone(), tf.reshape(x, [10, 100])];
    x.dispose();
    clone.dispose();
    assert.ok(arena.used > used);
    reshaped.dispose();
    assert.equal(arena.used, used);
  });

  test('where a piece of an op gets no memory, an error comes back, and the threads are there for the next op', () => {
    const { addon } = tf.backend() as NativeBackend;
    assert.throws(() => addon.allocate(2 ** 50), {
      message: 'allocate: no memory for 1125899906842624 bytes',
    });
    // The weights of the second sentence would take 2^47 bytes, all that a process can address.
    const [short, queries, keys] = [400, 2 ** 22, 2 ** 23];
    const memory = (length: number): Float32Array => new Float32Array(length);
    const [q, k, out, logPartition] = [queries, keys, queries, queries].map((rows) => memory(short + rows));
    const offsets = [queries, keys].map((rows) => Int32Array.of(0, short, short + rows));
    const expected = [...tf.tidy(() => tf.matMul(matrix(90, 40), matrix(40, 90)).dataSync())];
    for (let i = 0; i < 10; i++) {
      assert.throws(
        () =>
          addon.attention(
            ...([q, 0, 1, k, 0, 1, k, 0, 1, offsets[0], offsets[1]] as const),
            ...([out, logPartition, 1, 1, false, null] as const),
          ),
        { code: 'ERR_MEMORY_ALLOCATION_FAILED', message: /^attention: no memory for \d+ bytes$/ },
      );
      assert.deepEqual([...tf.tidy(() => tf.matMul(matrix(90, 40), matrix(40, 90)).dataSync())], expected);
    }
  });

  test('a product of batches, transposed or not, equals that of the cpu backend', async () => {
    const cases = [false, true].flatMap((ta) => [false, true].map((tb) => [ta, tb] as const));
    const compute = () =>
      cases.flatMap(([ta, tb]) =>
        tf.tidy(() => {
          const a = tf.reshape<tf.Rank.R3>(matrix(ta ? 21 : 15, ta ? 5 : 7, 1), ta ? [3, 7, 5] : [3, 5, 7]);
          const b = tf.reshape<tf.Rank.R3>(matrix(tb ? 12 : 21, tb ? 7 : 4, 2), tb ? [3, 4, 7] : [3, 7, 4]);
          const one = tf.slice(b, [0, 0, 0], [1, b.shape[1], b.shape[2]]);
          return [...tf.matMul(a, b, ta, tb).dataSync(), ...tf.matMul(a, one, ta, tb).dataSync()];
        }),
      );
    const found = compute();
    await initBackend('cpu');
    const expected = compute();
    await initBackend('native', 2);
    tf.tidy(() => allClose(tf.tensor1d(found), expected, { absolute: 1e-5, relative: 1e-5 }));
  });

  test('a product of batches whose shapes are stretched to each other has the shape and values of both', async () => {
    const leads = [
      [[2, 1], [1]],
      [[1, 1], [2]],
      [[2], [1, 1]],
      [[1], [1, 1]],
      [[1, 2], [2]],
      [[2], [1, 2]],
    ];
    const product = (lead: number[], count: number, rows: number, columns: number): tf.Tensor =>
      tf.reshape(matrix(count * rows, columns, 7 * rows), [...lead, rows, columns]);
    const compute = () =>
      leads.map((pair) =>
        tf.tidy(() => {
          const [a, b] = pair.map((lead, i) => product(lead, tf.util.sizeFromShape(lead), 2 + i, 3));
          const found = tf.matMul(a, b, false, true);
          return [found.shape, [...found.dataSync()]];
        }),
      );
    const found = compute();
    await initBackend('cpu');
    const expected = compute();
    await initBackend('native', 2);
    found.forEach(([shape, values], i) => {
      assert.deepEqual(shape, expected[i][0], JSON.stringify(leads[i]));
      allClose(values, expected[i][1], { absolute: 1e-5, relative: 1e-5 });
    });
  });

  test('a bad shape, dtype or a tensor that is gone throws an error that names the op', () => {
    throwsNaming(
      () =>
        runFused('Linear', { x: matrix(2, 3), weight: matrix(4, 5), bias: null }, { precision: 'float32' }),
      /Linear/,
      /expected 12 elements in weight, found 20/,
    );
    throwsNaming(
      () =>
        runFused(
          'Linear',
          { x: tf.zeros([2, 3], 'int32'), weight: matrix(4, 3), bias: null },
          { precision: 'float32' },
        ),
      /Linear/,
      /float32/,
    );
    throwsNaming(() => {
      const gone = matrix(2, 3);
      gone.dispose();
      return runFused('Linear', { x: gone, weight: matrix(4, 3), bias: null }, { precision: 'float32' });
    }, /./);
    throwsNaming(
      () =>
        runFused(
          'CrossEntropy',
          { hidden: matrix(2, 3), weight: matrix(5, 3) },
          { targets: Int32Array.of(0, 5), epsilon: 0, gradient: false, lossScale: 1, precision: 'float32' },
        ),
      /CrossEntropy/,
      /target lies outside/,
    );
    const embedding = {
      ...{ tokens: Int32Array.of(1, 5), places: Int32Array.of(0, 1), scale: 1, dropout: null },
      precision: 'float32' as const,
    };
    throwsNaming(
      () => runFused('Embedding', { table: matrix(5, 3), positions: null }, embedding),
      /Embedding/,
      /token lies outside/,
    );
    const places = { ...embedding, tokens: Int32Array.of(1, 4), places: Int32Array.of(0, 2) };
    throwsNaming(
      () => runFused('Embedding', { table: matrix(5, 3), positions: matrix(2, 3) }, places),
      /Embedding/,
      /position lies outside/,
    );
    for (const token of [-1, 5]) {
      const gradient = { indices: Int32Array.of(1, token), rows: 5, scale: 1, dropout: null };
      throwsNaming(
        () => runFused('EmbeddingGradient', { dy: matrix(2, 3) }, gradient),
        /EmbeddingGradient/,
        /token lies outside/,
      );
    }
    const attention = {
      ...{ q: { tensor: 0, column: 0 }, k: { tensor: 0, column: 4 }, v: { tensor: 0, column: 9 } },
      ...{ width: 4, heads: 2, causal: false, dropout: null },
      ...{ queryOffsets: Int32Array.of(0, 3), keyOffsets: Int32Array.of(0, 3) },
    };
    throwsNaming(() => runFused('Attention', { 0: matrix(3, 12) }, attention), /Attention/, /head/);
    const falling = { ...attention, keyOffsets: Int32Array.of(0, 4, 3) };
    throwsNaming(() => runFused('Attention', { 0: matrix(3, 12) }, falling), /Attention/, /must not fall/);
    throwsNaming(
      () => runFused('LayerNorm', { x: matrix(2, 3), gain: vector(2), bias: vector(3) }, {}),
      /LayerNorm/,
      /gain/,
    );
  });
});
