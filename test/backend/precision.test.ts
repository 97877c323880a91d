import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChosenBackend, initBackend } from '../../src/backend/init.js';
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

test('float16 is refused without a card that has it, with what there is instead', async () => {
  const refused = (backend: ChosenBackend) => {
    try {
      settlePrecision(backend, 'float16', 'train.precision');
    } catch (error) {
      if (error instanceof UserError) return error.complaints[0];
    }
    return assert.fail(`${backend.name} takes it`);
  };
  const cpu = await initBackend('cpu');
  assert.deepEqual(refused(cpu), {
    problem: 'float16 needs a graphics card, --backend webgpu; found cpu',
    where: 'train.precision',
    hint: 'Set train.precision to float32.',
  });
  const native = { ...cpu, name: 'native', precisions: { bfloat16: 'any' } } as const;
  assert.equal(refused(native).hint, 'Set train.precision to bfloat16, which this backend computes in.');
  const weak = { ...cpu, name: 'webgpu', reason: 'Google SwiftShader through WebGPU' } as const;
  assert.deepEqual(refused(weak), {
    problem:
      'float16 needs a graphics card that has half precision (shader-f16); found Google SwiftShader through WebGPU',
    where: 'train.precision',
    hint: 'Set train.precision to float32, or choose another card with --gpu.',
  });
  settlePrecision({ ...weak, precisions: { float16: 'shader-f16' } }, 'float16', 'train.precision');
});
