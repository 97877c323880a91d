import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../../src/common/files.js';

/** The card in software that has half precision, where scripts/software-gpu.mjs has got it. */
const folder = path.join(packageRoot(), '.software-gpu', 'mesa');
const driver = path.join(folder, 'lvp_icd.json');

const skip =
  !existsSync(driver) && 'there is no such card, not even in software (node scripts/software-gpu.mjs mesa)';

for (const file of ['half-tests', 'half-storage-tests'])
  test(`${file}: half precision, in a process whose card has it`, { skip }, (t) => runTests(file, t));

function runTests(file: string, t: TestContext): void {
  // A test of node's would else speak to the runner above in its own language.
  const { NODE_TEST_CONTEXT, ...environment } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--test-reporter=tap', fileURLToPath(new URL(`./${file}.js`, import.meta.url))],
    {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      env: {
        ...environment,
        // Libraries are looked for where this says when a process starts.
        ...{ LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: driver, ADMIN_NMT_GPU: 'llvmpipe' },
        ADMIN_NMT_TEST_WITHOUT: 'native,tensorflow,wasm',
      },
    },
  );
  const failures = stdout.match(/^ *not ok .*$/gm)?.join('\n') ?? '';
  assert.equal(status, 0, `${failures}\n${stdout.slice(-4000)}\n${stderr}`);
  const [, passed] = /^# pass (\d+)$/m.exec(stdout) ?? [];
  assert.ok(Number(passed) >= 5, `${passed} tests passed`);
  assert.match(stdout, /^# skipped 0$/m);
  t.diagnostic(`${passed} tests passed`);
}
