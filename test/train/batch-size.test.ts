import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { largestThatFits, updateFrequency } from '../../src/train/batch-size.js';

/** Searches, and records the sizes that were tried. */
async function search(
  bytes: (size: number) => number,
  limit: number,
  [least, most] = [64, 65_536],
): Promise<{ found: number; tried: number[] }> {
  const tried: number[] = [];
  const measure = async (size: number): Promise<number> => {
    tried.push(size);
    return bytes(size);
  };
  return { found: (await largestThatFits(measure, limit, least, most)).maxTokens, tried };
}

test('memory that is flat at first and linear then: the largest multiple of 64 within 5 %, in a few steps', async () => {
  const limits = fc.integer({ min: 1500, max: 5_000_000 });
  await fc.assert(
    fc.asyncProperty(limits, fc.integer({ min: 1, max: 900 }), async (limit, slope) => {
      const bytes = (size: number): number => 500 + Math.max(600, (slope / 10) * size);
      const { found, tried } = await search(bytes, limit);
      const ideal = Math.min(65_536, (limit - 500) / (slope / 10));
      if (ideal < 64) return assert.equal(found, 64);
      assert.ok(bytes(found) <= limit);
      assert.ok(found >= ideal / 1.05 - 64, `${found} of ${ideal}`);
      assert.ok(found === 64 || found === 65_536 || found % 64 === 0);
      assert.ok(tried.length <= 14, `${tried}`);
    }),
  );
});

test('where memory is linear, nothing that does not fit is tried', async () => {
  const { found, tried } = await search((size) => 1000 + 7 * size, 30_000);
  assert.equal(found, 4096);
  assert.deepEqual(tried, [64, 128, 256, 512, 1024, 2048, 4096]);
});

test('a prediction that was too low is mended', async () => {
  const { found, tried } = await search((size) => 1000 + 7 * size + (size > 3000 ? 5000 : 0), 30_000);
  assert.ok(found >= 3200 && found <= 3428, `${found}`);
  assert.ok(tried.some((size) => size > 3428));
});

test('what is more than there is tells nothing of how much more: the search goes on halfway', async () => {
  const { found, tried } = await search((size) => (size > 3000 ? Infinity : size), 30_000);
  assert.ok(found <= 3000 && found >= 3000 / 1.05 - 64, `${found}`);
  assert.deepEqual(tried.slice(0, 8), [64, 128, 256, 512, 1024, 2048, 4096, 3072]);
  assert.ok(tried.length <= 12, `${tried}`);
});

test('the least size comes back with its memory, fitting or not; the greatest is not exceeded', async () => {
  assert.deepEqual(await largestThatFits(async () => 10, 5, 47, 1000), { maxTokens: 47, bytes: 10 });
  assert.equal((await search(() => 10, 20, [47, 1000])).found, 1000);
  assert.equal((await search(() => 10, 20, [47, 47])).found, 47);
});

test('update-freq is what comes nearest to the tokens asked for', () => {
  assert.equal(updateFrequency(4096, 3900 * 50, 50), 1);
  assert.equal(updateFrequency(25_000, 3900 * 50, 50), 6);
  assert.equal(updateFrequency(10, 3900 * 50, 50), 1);
});
