import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exponential } from '../../../src/decode/choice/exponential.js';

test('e^x to 4e-10 wherever it is a normal double, exact at 0, and 0 far below', () => {
  for (let x = 0; x > -708; x -= 0.0137) {
    const [found, expected] = [exponential(x), Math.exp(x)];
    assert.ok(Math.abs(found - expected) <= 4e-10 * expected, `e^${x}: ${found}, expected ${expected}`);
  }
  assert.equal(exponential(0), 1);
  assert.equal(exponential(-0), 1);
  for (const x of [-760, -1e6, -Number.MAX_VALUE, Number.NEGATIVE_INFINITY]) assert.equal(exponential(x), 0);
});
