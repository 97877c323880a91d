import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { DamageError, UserError } from '../../src/common/errors.js';
import { sha256 } from '../../src/common/files.js';
import { Shortlist } from '../../src/decode/shortlist.js';
import { readShortlist, writeShortlist } from '../../src/decode/shortlist-file.js';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.js';
import { scratchFolder } from '../data/scratch.js';

const folder = scratchFolder();
const at = (name: string) => path.join(folder, name);
const VOCABULARIES = {
  source: { size: 6, hash: sha256('source') },
  target: { size: 2 ** 22, hash: sha256('target') },
};
const PARTS = {
  frequent: Int32Array.of(4, 2 ** 22 - 1),
  counts: Int32Array.of(0, 0, 1, 0, 2, 1),
  targets: Int32Array.of(5, 9, 4, 2 ** 22 - 3),
};
const file = at('shortlist.safetensors');
writeShortlist(file, new Shortlist(PARTS), VOCABULARIES);

test('what is written is read again, the largest ids as well', () => {
  assert.deepEqual(readShortlist(file, VOCABULARIES).parts, PARTS);
  const nothing = { frequent: new Int32Array(0), counts: new Int32Array(6), targets: new Int32Array(0) };
  writeShortlist(at('empty'), new Shortlist(nothing), VOCABULARIES);
  assert.deepEqual(readShortlist(at('empty'), VOCABULARIES).parts, nothing);
});

function refused(
  name: string,
  pattern: RegExp,
  Kind: typeof UserError = UserError,
  vocabularies = VOCABULARIES,
): void {
  assert.throws(
    () => readShortlist(at(name), vocabularies),
    (error) => error instanceof Kind && pattern.test(error.message) && error.message.includes(at(name)),
  );
}

describe('refused', () => {
  test('a file that is not there, or a folder', () => {
    refused('none', /no such file or directory/);
    assert.throws(() => readShortlist(folder, VOCABULARIES), /this is a directory/);
  });

  test('any other file', () => {
    writeFileSync(at('text'), 'das the 0.9\nHaus house 0.8\n');
    refused('text', /expected a safetensors file/, DamageError);
    writeFileSync(at('nothing'), '');
    refused('nothing', /expected a safetensors file/, DamageError);
    const weights = new Map([['x', { shape: [1], data: Float32Array.of(1) }]]);
    writeSafetensors(at('weights'), weights, { format: 'pt' });
    refused('weights', /expected a shortlist, found a safetensors file of format 'pt'/);
    writeSafetensors(at('plain'), weights);
    refused('plain', /expected a shortlist, found another safetensors file/);
  });

  test('one of another vocabulary, either of the two', () => {
    for (const side of ['source', 'target'] as const) {
      const other = { ...VOCABULARIES, [side]: { size: 7, hash: sha256('other') } };
      refused(
        'shortlist.safetensors',
        new RegExp(
          `expected a shortlist for the ${side} dictionary of the model, of 7 symbols \\(SHA-256 d9298a10…\\), found one for another`,
        ),
        UserError,
        other,
      );
    }
  });

  test('one of a later version', () => {
    const { tensors, metadata } = readSafetensors(file);
    writeSafetensors(at('later'), tensors, { ...metadata, version: '2' });
    refused('later', /expected a shortlist of version 1 or before, found version 2/);
  });

  test('one that is cut short anywhere', () => {
    const bytes = readFileSync(file);
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(at('cut'), bytes.subarray(0, length));
      refused('cut', /./, DamageError);
    }
  });

  test('one with any bit flipped', () => {
    const bytes = readFileSync(file);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const other = Buffer.from(bytes);
      other[bit >> 3] ^= 1 << (bit & 7);
      writeFileSync(at('flipped'), other);
      assert.throws(() => readShortlist(at('flipped'), VOCABULARIES), UserError, `bit ${bit}`);
    }
  });

  test('lists that are none, though the checksum fits', () => {
    const write = (parts: Partial<typeof PARTS>) =>
      writeShortlist(at('strange'), new Shortlist({ ...PARTS, ...parts }), VOCABULARIES);
    for (const parts of [
      { counts: Int32Array.of(0, 0, 1, 0, 2) },
      { counts: Int32Array.of(0, 0, 1, 0, 2, 2) },
      { counts: Int32Array.of(0, 0, 1, 0, 4, -1) },
      { targets: Int32Array.of(5, 9, 4, 2 ** 22) },
      { frequent: Int32Array.of(-1) },
    ]) {
      write(parts);
      refused('strange', /expected lists of ids of both dictionaries, found others/, DamageError);
    }
  });
});
