import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesOf } from '../../src/common/places.js';

test('where something other than 0 stands', () => {
  assert.deepEqual([...placesOf(Uint8Array.of(0, 1, 0, 0, 255, 1))], [1, 4, 5]);
  assert.deepEqual([...placesOf(new Uint8Array(3))], []);
  assert.deepEqual([...placesOf(new Uint8Array(0))], []);
});
