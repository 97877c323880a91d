import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { writeChecksums } from '../../src/common/checksums.js';
import { DamageError } from '../../src/common/errors.js';
import { writeSafetensors } from '../../src/formats/safetensors.js';
import { readWeights } from '../../src/formats/weights-file.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-weights-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const NAME = 'model.safetensors';
const write = (...values: number[]) =>
  writeSafetensors(
    path.join(folder, NAME),
    new Map([
      ['a', { shape: [1], data: Float32Array.of(1) }],
      ['b', { shape: [values.length], data: Float32Array.from(values) }],
    ]),
  );

const refused = (pattern: RegExp) =>
  assert.throws(
    () => readWeights(folder, NAME),
    (error) => error instanceof DamageError && pattern.test(error.message) && error.message.includes(NAME),
  );

test('numbers that are not finite are refused by the name of their tensor', () => {
  for (const strange of [Number.NaN, Infinity, -Infinity]) {
    write(3.4e38, 1e-45, strange, 2);
    refused(new RegExp(`found ${strange} in 'b' \\(value 2\\)`));
  }
  write(3.4e38, 1e-45);
  assert.deepEqual([...readWeights(folder, NAME).keys()], ['a', 'b']);
});

test('a file is compared with the checksums of its folder', () => {
  const sum = write(1, 2);
  writeChecksums(folder, { files: { [NAME]: sum } });
  readWeights(folder, NAME);
  write(1, 3);
  refused(/not as it was written/);
});
