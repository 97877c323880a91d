import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { settlePrecision } from '../../src/backend/precision.js';
import { UserError } from '../../src/common/errors.js';

test('a precision that a backend lacks is refused by its name, with the key and what to do', async () => {
  for (const name of ['wasm', 'cpu'] as const) {
    const backend = await initBackend(name);
    settlePrecision(backend, 'float32', 'train.precision');
    assert.throws(
      () => settlePrecision(backend, 'bfloat16', 'train.precision'),
      (error) => {
        assert.ok(error instanceof UserError);
        const [{ problem, where, hint }] = error.complaints;
        assert.equal(problem, `bfloat16 needs the native backend, which alone computes in it; found ${name}`);
        assert.equal(where, 'train.precision');
        assert.equal(hint, 'Set train.precision to float32, or use --backend native.');
        return true;
      },
    );
  }
});
