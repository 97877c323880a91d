import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { readPlaces } from '../../src/common/read-places.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-places-'));
after(() => fs.rmSync(folder, { recursive: true }));

test('places are read in any order: neighbours, far ones, twice the same, none, and past the end', async () => {
  const file = path.join(folder, 'file');
  const content = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >> 5);
  fs.writeFileSync(file, content);
  const fd = fs.openSync(file, 'r');
  const places = [
    [10, 5],
    [2_000_000, 70_000],
    [0, 10],
    [20, 0],
    [10, 5],
    [100, 1_500_000],
    [200, 1_500_000],
    [2_999_990, 20],
    [4_000_000, 8],
  ].map(([start, bytes]) => ({ start, bytes }));
  const found = await readPlaces(fd, places);
  fs.closeSync(fd);
  found.forEach((bytes, i) => {
    const { start, bytes: length } = places[i];
    assert.deepEqual(bytes, content.slice(start, start + length), `place ${i}`);
  });
});
