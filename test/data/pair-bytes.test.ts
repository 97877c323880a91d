import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Purpose, RandomStream } from '../../src/common/rng.js';
import { textOf } from '../../src/data/line-bytes.js';
import { checkPairs, readPairBytes } from '../../src/data/pair-bytes.js';
import { refusal, scratchFolder, writeFiles } from './scratch.js';

/** Lines of very unequal lengths: what is read of one file at a time is never that of the other. */
function drawLines(site: number, count: number, longest: number): string[] {
  const random = new RandomStream({ seed: 3, step: 0, purpose: Purpose.test, site });
  return Array.from({ length: count }, (_, i) => `${i} ${'ü'.repeat(random.nextBelow(longest))}`);
}

async function read(files: readonly string[]): Promise<{ pairs: string[][]; blocks: number }> {
  const pairs: string[][] = [];
  let blocks = 0;
  for await (const block of readPairBytes(files)) {
    const [source, target] = checkPairs(block).map(textOf);
    assert.equal(source.length, target.length);
    source.forEach((line, i) => {
      pairs.push([line, target[i]]);
    });
    blocks++;
  }
  return { pairs, blocks };
}

const source = drawLines(1, 6000, 300);
const target = drawLines(2, 6000, 30);
const expected = source.map((line, i) => [line, target[i]]);

test('lines of two files come side by side, however they are packed and ended', async () => {
  const folder = writeFiles(scratchFolder(), {
    source: `\ufeff${source.join('\r\n')}\r\n`,
    'target.gz': gzipSync(target.join('\n')),
    'both.tsv': expected.map((pair) => `${pair.join('\t')}\n`).join(''),
  });
  const files = ['source', 'target.gz'].map((name) => path.join(folder, name));
  const { pairs, blocks } = await read(files);
  assert.ok(blocks >= 3);
  assert.deepEqual(pairs, expected);
  assert.deepEqual((await read([path.join(folder, 'both.tsv')])).pairs, expected);
});

test('what is wrong comes in its place: lines before a torn end, lines without a partner last', async () => {
  const packed = gzipSync(source.join('\n'));
  const bad = Buffer.from(`${target.join('\n')}\n`);
  const folder = writeFiles(scratchFolder(), {
    source: source.join('\n'),
    'torn.gz': packed.subarray(0, packed.length - 2000),
    'bad at the start': Buffer.concat([Buffer.from([0xff]), bad]),
    'bad at the end': Buffer.concat([bad, Buffer.from('x\n'.repeat(200_000)), Buffer.from([0xff])]),
    'too long': Buffer.concat([bad, Buffer.from('x\n'.repeat(200_000))]),
  });
  const run = (...names: string[]) => read(names.map((name) => path.join(folder, name)));
  await assert.rejects(run('torn.gz', 'bad at the start'), refusal(/bad at the start:1: /));
  await assert.rejects(run('torn.gz', 'too long'), refusal(/torn\.gz: .*truncated/));
  await assert.rejects(run('source', 'bad at the end'), refusal(/bad at the end:206001: .*0xff/));
  await assert.rejects(run('source', 'too long'), refusal(/6000 in .*source and 206000 in .*too long/));
});
