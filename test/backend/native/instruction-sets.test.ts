import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../../../src/backend/native/binding.js';
import { availableBackends } from '../../ops/backends.js';

/** Every set that the engine is compiled for, on one platform or another. */
const SETS = ['avx512bf16', 'avx512vnni', 'avx512', 'avx2vnni', 'avx2', 'base'];
/** Those that differ from the next one in products of int8 alone, whose bits int8.test.ts compares. */
const INT8_ALONE = ['avx512vnni', 'avx2vnni'];

const { isa, isas } = availableBackends.includes('native')
  ? loadAddon()
  : { isa: undefined, isas: undefined };

function obstacle(set: string): string | false {
  if (isas === undefined) return 'the native engine is not built';
  return isas.includes(set) ? false : `this processor has no ${set}`;
}

test('the sets of this processor are told, the widest first, and one of them is in use', {
  skip: isas === undefined && 'the native engine is not built',
}, () => {
  assert.deepEqual(
    isas,
    SETS.filter((set) => isas?.includes(set)),
  );
  assert.equal(isa, process.env.ADMIN_NMT_ISA || isas?.[0]);
});

for (const set of SETS.filter((name) => name !== isa && !INT8_ALONE.includes(name))) {
  test(`${set}: the tests of the ops and of the native backend, in a process of their own`, {
    skip: obstacle(set),
  }, (t) => {
    // A test of node's would else speak to the runner above in its own language.
    const { NODE_TEST_CONTEXT, ...environment } = process.env;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--test-reporter=tap', fileURLToPath(new URL('./op-tests.js', import.meta.url))],
      {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
        env: { ...environment, ADMIN_NMT_ISA: set, ADMIN_NMT_TEST_WITHOUT: 'webgpu,tensorflow,wasm,cpu' },
      },
    );
    const failures = stdout.match(/^ *not ok .*$/gm)?.join('\n') ?? '';
    assert.equal(status, 0, `${failures}\n${stderr}`);
    const [, passed] = /^# pass (\d+)$/m.exec(stdout) ?? [];
    assert.ok(Number(passed) > 200, `${passed} tests passed`);
    assert.match(stdout, new RegExp(`^ *# computes with ${set}$`, 'm'));
    t.diagnostic(`${passed} tests passed on ${set}`);
  });
}
