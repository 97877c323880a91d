import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, test } from 'node:test';
import { isInstalled } from '../../../src/backend/webgpu/adapter.js';
import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { Device } from '../../../src/backend/webgpu/device.js';
import { Pool } from '../../../src/backend/webgpu/pool.js';
import { registerDevice } from '../../../src/backend/webgpu/register.js';
import { DeviceMemoryError, UserError } from '../../../src/common/errors.js';
import { camelizeKeys } from '../../../src/config/camel.js';
import { configSchema } from '../../../src/config/schema.js';
import { tf } from '../../../src/ops/tf.js';
import { settleBatch } from '../../../src/workflows/train/settle-batch.js';
import { copyTask, VOCABULARY } from '../../train/tiny.js';

/** A pool whose buffers are numbers, and what was asked of the device. */
function countedPool(): { pool: Pool; done: string[]; source: { batch: number } } {
  const done: string[] = [];
  let ids = 0;
  const source = {
    batch: 0,
    create: (bytes: number) => done.push(`create ${bytes}`) && ids++,
    destroy: (id: number) => void done.push(`destroy ${id}`),
    settle: () => void done.push('settle'),
    restart: async () => void done.push('restart'),
  };
  return { pool: new Pool(source), done, source };
}

test('what is idle goes back before more is held than the limit', () => {
  const { pool, done } = countedPool();
  const [first, second] = [pool.take(4096), pool.take(8192)];
  pool.give(first);
  pool.take(16_384);
  assert.equal(pool.resident, 28_672);
  assert.equal(pool.used, 24_576);
  pool.limit = 40_000;
  pool.give(second);
  done.length = 0;
  pool.take(32_768);
  assert.deepEqual(done.sort(), ['create 32768', 'destroy 0', 'destroy 1', 'settle']);
  assert.equal(pool.resident, 49_152); // all of it in use
  done.length = 0;
  pool.take(1024);
  assert.deepEqual(done, ['create 1024']); // nothing is idle
});

test('the same work gets the same buffers, whatever order they came back in', () => {
  const { pool, source } = countedPool();
  const take = () => [pool.take(4096), pool.take(4096), pool.take(4096)];
  const first = take();
  for (const id of [first[1], first[2], first[0]]) pool.give(id);
  assert.deepEqual(take(), first);
  for (const id of [...first].reverse()) pool.give(id);
  assert.deepEqual(take(), first);
  pool.give(first[1]);
  source.batch++;
  pool.give(first[0]);
  assert.equal(pool.take(4096, true), first[1]); // the other was used in this batch
});

test('after a restart nothing is held, and what was lost may be given back', async () => {
  const { pool, done } = countedPool();
  const [one, other] = [pool.take(4096), pool.fresh(4096)];
  await pool.restart();
  assert.deepEqual([pool.used, pool.resident, pool.peak], [0, 0, 0]);
  pool.give(one);
  pool.discard(other);
  pool.trim();
  assert.equal(done.at(-1), 'restart');
  assert.equal(pool.used, 0);
});

const skip =
  (!isInstalled() || process.platform !== 'linux') &&
  'the package webgpu is not installed, or Linux is not here';

describe("a card without enough memory: Dawn's null backend, which has 512 MiB", { skip }, () => {
  const backend = () => tf.backend() as unknown as WebGpuBackend;

  test('it says so, and begins anew with nothing in it', async () => {
    const device = await Device.open(null, ['backend=null']);
    assert.ok(device instanceof Device);
    await registerDevice(device);
    await tf.setBackend('webgpu');
    const large = Array.from({ length: 5 }, () => tf.fill([2 ** 25], 1)); // 128 MiB each
    await assert.rejects(large.at(-1)!.data(), DeviceMemoryError);
    assert.throws(() => device.check(), /the graphics card .* failed: .*memory/i);
    const { pool } = backend();
    await pool.restart();
    tf.dispose(large);
    assert.equal(pool.used, 0);
    const sum = tf.tidy(() => tf.add(tf.fill([64], 1), tf.fill([64], 2)));
    assert.equal((await sum.data()).length, 64);
    sum.dispose();
  });

  /** Trains on paper, with what a card has and a config allows. */
  const settle = async (train: object, embedDim = 256) => {
    const written = {
      model: {
        'embed-dim': embedDim,
        'ffn-embed-dim': 4 * embedDim,
        'attention-heads': 4,
        encoder: { layers: 2 },
        decoder: { layers: 2 },
      },
      train: { 'max-update': 1, 'max-tokens': 'auto', 'eval-bleu': false, ...train },
    };
    const config = camelizeKeys(configSchema.parse(written));
    const { pool } = backend();
    const side = { size: VOCABULARY.source };
    const data = { train: copyTask(4000), valid: null, source: side, target: side };
    const settled = await settleBatch(
      { config, written } as never,
      data as never,
      { name: 'webgpu', memory: pool } as never,
    );
    return { maxTokens: settled.config.train.maxTokens, pool };
  };

  test('max-tokens auto takes what the config allows', async () => {
    const { maxTokens, pool } = await settle({ memory: '200M' });
    assert.ok(maxTokens >= 256 && maxTokens < 8000, `${maxTokens}`);
    assert.equal(pool.limit, 200 * 2 ** 20);
    assert.ok(pool.used < 2 ** 20);
    const less = await settle({ memory: '120M' });
    assert.ok(less.maxTokens < maxTokens);
  });

  test('where the card has less than that, it takes what was found to fit', async () => {
    const { maxTokens, pool } = await settle({ memory: '8G' });
    assert.ok(maxTokens >= 1024 && maxTokens < 16_000, `${maxTokens}`);
    assert.ok(pool.limit < 2 ** 29 && pool.limit > 2 ** 27, `${pool.limit}`);
  });

  test('a share of it, and a model that does not fit at all, are refused', async () => {
    await assert.rejects(settle({}), /train\.memory: expected a size such as 8G, .* found '80%'/);
    const refused = (error: unknown): boolean =>
      error instanceof UserError && /has not enough memory for batches of 64 tokens/.test(error.message);
    await assert.rejects(settle({ memory: '8G' }, 1024), refused);
  });
});
