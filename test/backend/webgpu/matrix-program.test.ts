import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matricesOf } from '../../../src/backend/webgpu/adapter.js';
import { fits, matrixSharedBytes } from '../../../src/backend/webgpu/matrix-program.js';

const FEATURES = ['chromium-experimental-subgroup-matrix', 'subgroups', 'shader-f16'];
const config = (componentType: string, resultComponentType: string, M: number, N: number, K: number) => ({
  ...{ componentType, resultComponentType, M, N, K },
});

function unitOf(vendor: string, configs: ReturnType<typeof config>[], features = FEATURES, subgroup = 32) {
  const info = {
    ...{ vendor, architecture: '', device: '', description: '', isFallbackAdapter: false },
    ...{ subgroupMinSize: 32, subgroupMaxSize: subgroup, subgroupMatrixConfigs: configs },
  };
  return matricesOf({ info, features: new Set(features) });
}

const NVIDIA = [
  ...[config('f16', 'f32', 16, 8, 16), config('f16', 'f32', 16, 16, 16), config('f16', 'f16', 32, 32, 32)],
  config('i8', 'i32', 16, 16, 32),
];

test('of the matrices of a card the largest of float16 with float32 sums are taken', () => {
  assert.deepEqual(unitOf('nvidia', NVIDIA), { m: 16, n: 16, k: 16, subgroup: 32 });
  assert.deepEqual(unitOf('apple', [config('f16', 'f32', 8, 8, 8)]), { m: 8, n: 8, k: 8, subgroup: 32 });
});

test('none are where the vendor is not listed, the card lacks something, or tiles are not made of them', () => {
  assert.equal(unitOf('intel', NVIDIA), null);
  for (const lacking of FEATURES)
    assert.equal(
      unitOf(
        'nvidia',
        NVIDIA,
        FEATURES.filter((name) => name !== lacking),
      ),
      null,
    );
  assert.equal(unitOf('nvidia', [config('f16', 'f16', 16, 16, 16), config('f32', 'f32', 16, 16, 16)]), null);
  assert.equal(unitOf('nvidia', [config('f16', 'f32', 24, 16, 16)]), null);
  assert.equal(unitOf('amd', NVIDIA, FEATURES, 128), null);
});

test('the widest tiles need subgroups that are not too large, and fit the memory that cards have', () => {
  const unit = { m: 16, n: 16, k: 16, subgroup: 32 };
  assert.ok(fits('large', unit) && fits('wide', unit));
  assert.ok(fits('large', { ...unit, subgroup: 64 }) && !fits('wide', { ...unit, subgroup: 64 }));
  assert.ok(matrixSharedBytes('large', unit) <= 2 ** 14);
  assert.ok(matrixSharedBytes('wide', unit) <= 2 ** 15);
});
