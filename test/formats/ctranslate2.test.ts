import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { DamageError } from '../../src/common/errors.js';
import { packageRoot } from '../../src/common/files.js';
import {
  type Ctranslate2Variable,
  readCtranslate2,
  writeCtranslate2,
} from '../../src/formats/ctranslate2.js';

const RECORDED = path.join(packageRoot(), 'test/formats/fixtures/ctranslate2/model.bin');
const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-ctranslate2-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'model.bin');

test("a file of CTranslate2's own converter is read, and written again byte for byte", () => {
  const model = readCtranslate2(RECORDED);
  assert.deepEqual([model.specification, model.revision], ['TransformerSpec', 7]);
  assert.deepEqual(model.variables.get('encoder/num_heads'), { shape: [], data: Int16Array.of(2) });
  assert.deepEqual(model.variables.get('encoder/layer_0/self_attention/linear_0/weight')!.shape, [24, 8]);
  writeCtranslate2(file, model);
  assert.deepEqual(readFileSync(file), readFileSync(RECORDED));
});

test('variables that share their data are written once, under the first name', () => {
  const shared: Ctranslate2Variable = { shape: [2, 2], data: Float32Array.of(1, -0, Number.NaN, 4) };
  const variables = new Map([
    ['c', shared],
    ['b', { shape: [], data: Int8Array.of(-1) }],
    ['a', shared],
  ]);
  writeCtranslate2(file, { specification: 'S', revision: 3, variables });
  const bytes = readFileSync(file);
  assert.equal(bytes.readUInt32LE(4 + 4 + 4), 2, 'two variables');
  const found = readCtranslate2(file);
  assert.deepEqual([...found.variables.keys()].sort(), ['a', 'b', 'c']);
  assert.equal(found.variables.get('c'), found.variables.get('a'));
  assert.deepEqual(found.variables.get('a'), shared);
});

test('a file cut short anywhere, of another version, or with more in it is refused', () => {
  const bytes = readFileSync(RECORDED);
  const refused = (content: Buffer, pattern: RegExp) => {
    writeFileSync(file, content);
    assert.throws(
      () => readCtranslate2(file),
      (error) => error instanceof DamageError && pattern.test(error.message),
    );
  };
  for (let length = 0; length < bytes.length; length += 97) {
    refused(bytes.subarray(0, length), /cut short/);
  }
  refused(Buffer.concat([bytes, Buffer.alloc(3)]), /3 bytes are left over/);
  refused(Buffer.concat([Buffer.of(5), bytes.subarray(1)]), /expected version 6, found 5/);
});
