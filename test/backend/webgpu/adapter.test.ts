import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkVersion } from '../../../src/backend/webgpu/adapter.js';
import { packageRoot } from '../../../src/common/files.js';
import { type Outcome, spawnProgram } from '../../cli/run-program.js';
import { availableBackends } from '../../ops/backends.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';

const TRAIN = [
  ...['train', path.join(packageRoot(), 'test', 'cli', 'fixtures', 'run-v1', 'config.yaml'), '--dry-run'],
  ...['--destdir', path.join(packageRoot(), 'test', 'data', 'fixtures', 'joint'), '--backend', 'webgpu'],
];

/** A command that opens the device before it does anything else. */
function open(env: NodeJS.ProcessEnv, ...flags: string[]): Outcome {
  return spawnProgram([...TRAIN, ...flags], { env: { ...process.env, ...env } });
}

function refuses({ status, stderr }: Outcome, problem: RegExp, hint: RegExp): void {
  assert.equal(status, 2, stderr);
  assert.match(stderr, problem);
  assert.match(stderr, hint);
  assert.doesNotMatch(stderr, /\n\s+at .*\.js:\d+/);
}

const scratch = mkdtempSync(path.join(tmpdir(), 'admin-nmt-adapter-'));
after(() => rmSync(scratch, { recursive: true }));

/** The program as it is installed, beside a package `webgpu` of some version, or beside none. */
function installation(name: string, version: string | null): string {
  const root = path.join(scratch, name);
  const modules = path.join(root, 'node_modules');
  mkdirSync(modules, { recursive: true });
  cpSync(path.join(packageRoot(), 'package.json'), path.join(root, 'package.json'));
  cpSync(fileURLToPath(new URL('../../../src', import.meta.url)), path.join(root, 'dist', 'src'), {
    recursive: true,
    filter: (file) => !file.endsWith('.map'),
  });
  for (const entry of readdirSync(path.join(packageRoot(), 'node_modules')))
    if (entry !== 'webgpu' && !entry.startsWith('.'))
      symlinkSync(path.join(packageRoot(), 'node_modules', entry), path.join(modules, entry));
  if (version !== null) {
    mkdirSync(path.join(modules, 'webgpu'));
    const facts = { name: 'webgpu', version, type: 'module', main: 'index.js' };
    writeFileSync(path.join(modules, 'webgpu', 'package.json'), JSON.stringify(facts));
    writeFileSync(path.join(modules, 'webgpu', 'index.js'), 'export const create = () => ({});\n');
  }
  return path.join(root, 'dist', 'src', 'cli', 'main.js');
}

/** Refused by train and by check alike. */
function refusedIn(main: string, problem: RegExp, hint: RegExp): void {
  for (const args of [TRAIN, ['check', '--backend', 'webgpu']]) {
    const found = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    refuses(found, problem, hint);
  }
}

test('without the package: what to install', () => {
  refusedIn(
    installation('without', null),
    /error: backend: the backend 'webgpu' is not available: the package webgpu is not installed/,
    /`npm install webgpu@0\.6`/,
  );
});

test('an old package: what was expected, what was found, what to install', () => {
  refusedIn(
    installation('old', '0.5.0'),
    /error: backend: the backend 'webgpu' is not available: expected the package webgpu >=0\.6\.2 <0\.7, found 0\.5\.0/,
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

test('the self-test says the same, and what it has seen of the machine', () => {
  const env = { ...process.env, ...NO_DRIVER, ADMIN_NMT_GPU: undefined };
  const { status, stdout, stderr } = spawnProgram(['check', '--backend', 'webgpu', '--json'], { env });
  assert.equal(status, 2, stderr);
  const { missing, card, driver } = JSON.parse(stdout);
  assert.match(missing.problem, /there is no graphics card with a driver/);
  assert.equal(card, null);
  if (process.platform === 'linux') assert.deepEqual([driver.named, driver.drivers], [true, []]);
  assert.match(stderr, /^error: backend: .*there is no graphics card with a driver/m);
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

test('a card that is not there: those that are; and Dawn’s backend that computes nothing is none', {
  skip,
}, () => {
  for (const name of ['no-such-card', 'null-backend']) {
    refuses(
      open({ ADMIN_NMT_GPU: undefined }, '--gpu', name),
      new RegExp(`expected a graphics card of the name '${name}', found 0 `),
      /its number or a part of its name/,
    );
  }
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
