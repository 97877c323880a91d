import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { checkVersion } from '../../../src/backend/webgpu/adapter.js';
import { packageRoot } from '../../../src/common/files.js';
import { type Outcome, spawnProgram } from '../../cli/run-program.js';
import { availableBackends } from '../../ops/backends.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';
const RUN = path.join(packageRoot(), 'test', 'cli', 'fixtures', 'run-v1');

/** A command that opens the device before it does anything else. */
function open(env: NodeJS.ProcessEnv, ...flags: string[]): Outcome {
  const config = path.join(RUN, 'config.yaml');
  const data = path.join(packageRoot(), 'test', 'data', 'fixtures', 'joint');
  const args = ['train', config, '--dry-run', '--destdir', data, '--backend', 'webgpu', ...flags];
  return spawnProgram(args, { env: { ...process.env, ...env } });
}

function refuses({ status, stderr }: Outcome, problem: RegExp, hint: RegExp): void {
  assert.equal(status, 2, stderr);
  assert.match(stderr, problem);
  assert.match(stderr, hint);
  assert.doesNotMatch(stderr, /\n\s+at .*\.js:\d+/);
}

/** Has Node.js not find the package, in every thread. */
const HIDDEN = (() => {
  const hooks = `export const resolve = (name, context, next) => {
    if (name !== 'webgpu') return next(name, context);
    throw Object.assign(new Error("Cannot find package 'webgpu'"), { code: 'ERR_MODULE_NOT_FOUND' });
  };`;
  const script = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;
  return `--import data:text/javascript,${encodeURIComponent(script)}`;
})();

test('without the package: what to install', () => {
  refuses(
    open({ NODE_OPTIONS: HIDDEN }),
    /error: backend: the backend 'webgpu' is not available: the package webgpu is not installed/,
    /`npm install webgpu@0\.6`/,
  );
});

const NO_DRIVER = { VK_ICD_FILENAMES: '/no/such/driver.json', VK_DRIVER_FILES: '/no/such/driver.json' };

test('without a driver: what a card needs', () => {
  refuses(
    open({ ...NO_DRIVER, ADMIN_NMT_GPU: undefined }),
    /there is no graphics card with a driver/,
    process.platform === 'linux'
      ? /names files that are not there.* Or use --backend native/
      : /--backend native/,
  );
});

test('a software driver that nobody has named is refused, and named it computes', { skip }, () => {
  const given = process.env.ADMIN_NMT_GPU!;
  refuses(
    open({ ADMIN_NMT_GPU: undefined }),
    /there is no graphics card, only what imitates one on the processor \(0 /,
    /name it: --gpu '/,
  );
  const { status, stderr } = open({ ADMIN_NMT_GPU: undefined }, '--gpu', given);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^Backend: webgpu \(.*through WebGPU, in software, slow\)$/m);
});

test('float16 on a card without half precision', {
  skip: process.env.ADMIN_NMT_GPU !== 'swiftshader' && 'SwiftShader, which has none, is not here',
}, () => {
  refuses(
    open({}, '--fp16'),
    /error: train\.precision: float16 needs a graphics card that has half precision \(shader-f16\); found .*SwiftShader/,
    /Set train\.precision to float32, or choose another card with --gpu\./,
  );
});

test('a card that is not there: those that are', { skip }, () => {
  refuses(
    open({ ADMIN_NMT_GPU: undefined }, '--gpu', 'no-such-card'),
    /expected a graphics card of the name 'no-such-card', found 0 /,
    /its number or a part of its name/,
  );
});

test('versions of the package: those of the range in package.json, and no others', () => {
  const { peerDependencies, devDependencies } = JSON.parse(
    readFileSync(path.join(packageRoot(), 'package.json'), 'utf8'),
  );
  assert.doesNotThrow(() => checkVersion(devDependencies.webgpu));
  assert.doesNotThrow(() => checkVersion('0.6.11'));
  for (const version of ['0.2.12', '0.6.1', '0.7.0', '1.0.0'])
    assert.throws(() => checkVersion(version), {
      message: `expected the package webgpu ${peerDependencies.webgpu}, found ${version}`,
    });
});
