import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givenTarget } from '../../src/decode/given-list.js';
import { listCodec, sourceOf } from './given-lists.js';

test('sources are read as numbers rise, each line once; one may stay, and lines may be left out', async () => {
  const source = sourceOf('a', 'bb', 'ccc ccc', 'dddd');
  assert.deepEqual([...(await source.at(0, 'l:1'))], [1, 2]);
  assert.equal(await source.at(0, 'l:2'), await source.at(0, 'l:3'));
  assert.deepEqual([...(await source.at(2, 'l:4'))], [3, 3, 2]);
});

test('numbers that fall, and those beyond the source, are named with their lines', async () => {
  const source = sourceOf('a', 'bb', 'ccc');
  await source.at(2, 'l:1');
  await assert.rejects(
    source.at(1, 'l:2'),
    /^UserError: l:2: expected .* found one of sentence 1 after those of 2\n {2}Sort/,
  );
  await assert.rejects(source.at(1, 'l:2', 1), /sentence 2 after those of 3\n/);
  await assert.rejects(
    source.at(3, 'l:3'),
    /^UserError: l:3: found a translation of sentence 3; the source ends with sentence 2\n/,
  );
});

test('a token that the dictionary lacks is named', () => {
  assert.deepEqual([...givenTarget('x', ['5'], listCodec, 'l:1').ids], [5, 2]);
  assert.throws(
    () => givenTarget('x', ['5', 'x'], listCodec, 'l:1'),
    /^UserError: l:1: expected tokens of the model, found 'x'/,
  );
});
