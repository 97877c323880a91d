import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError, WrongResultsError } from '../../../src/common/errors.js';
import { formatSelfTest } from '../../../src/workflows/self-test/format.js';
import { refuseWrong, type SelfTest, selfTest } from '../../../src/workflows/self-test/self-test.js';
import { availableBackends } from '../../ops/backends.js';

const NATIVE = { backend: 'native', gpu: null, threads: 1 } as const;
const skip = !availableBackends.includes('native') && 'the native engine is not built';

describe('the self-test of an engine', { skip }, () => {
  test('right results, and as much of its speed as there is time for', async () => {
    const report = await selfTest(NATIVE, 0.5);
    assert.equal(report.correctness?.right, true);
    assert.doesNotThrow(() => refuseWrong(report));
    const { program, read, products, steps, left } = report.speed!;
    assert.ok(program !== null && program.busy > 0 && program.busy <= program.whole);
    assert.ok(read! > 0);
    assert.ok(products.every(({ forward, training }) => forward > 0 && training > 0));
    assert.ok(steps.every(({ tokens, tokensPerSecond }) => tokens >= 512 && tokensPerSecond > 0));
    assert.ok(
      left.some((what) => /^a step of base in float32: would take some \d+ s$/.test(what)),
      left.join(),
    );
    const table = formatSelfTest(report);
    assert.match(table, /^ {2}ok {5}loss +\d\.\de-\d+$/m);
    assert.match(table, /^ {2}(\d+) of \1 right/m);
    assert.match(table, /left out:\n/);
    assert.doesNotMatch(table, /send us/);
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });
});

const noCard = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';

test('a graphics card: what it is, and right results', { skip: noCard }, async () => {
  const report = await selfTest({ backend: 'webgpu', gpu: null, threads: null }, 0.1);
  assert.doesNotThrow(() => refuseWrong(report));
  const { name, vendor, features, limits, subgroups } = report.card!;
  assert.ok(name.includes(vendor) && features.includes('core-features-and-limits'), name);
  assert.ok(subgroups[0] > 0 && subgroups[1] >= subgroups[0]);
  const { has, got } = limits.maxStorageBufferBindingSize;
  assert.ok(has >= 2 ** 27 && got === has);
  assert.ok(limits.maxComputeInvocationsPerWorkgroup.has >= limits.maxComputeInvocationsPerWorkgroup.got);
  const table = formatSelfTest(report);
  assert.match(table, /^ {2}maxBufferSize \d+$/m);
  assert.match(
    table,
    /Please send us this of your card: admin-nmt check --backend webgpu --json > card\.json$/,
  );
});

const REPORT: SelfTest = {
  ...({ format: 'admin-nmt/self-test', version: 1, asked: { ...NATIVE, backend: 'webgpu' } } as const),
  program: { version: '1', node: 'v20', system: 'linux', processor: 'p', processors: 2 },
  ...{ backend: null, card: null, driver: null, missing: null, correctness: null, speed: null },
};

test('what is missing is an error of the user, what is wrong is none', () => {
  const missing = { problem: 'no card', where: 'backend' };
  assert.throws(() => refuseWrong({ ...REPORT, missing }), UserError);
  const comparison = { what: 'loss', error: 1, most: 1e-4, right: false };
  const correctness = { right: false, comparisons: [comparison], failure: null, seconds: 1 };
  assert.throws(
    () => refuseWrong({ ...REPORT, correctness }),
    (error) => error instanceof WrongResultsError && /^webgpu: wrong results: loss\n/.test(error.message),
  );
  assert.match(
    formatSelfTest({ ...REPORT, correctness }),
    /WRONG {2}loss {2}1\.0e\+0, at most 1\.0e-4\n {2}0 of 1/,
  );
  const failed = { ...correctness, comparisons: [], failure: 'the card burns' };
  assert.throws(() => refuseWrong({ ...REPORT, correctness: failed }), /webgpu: the card burns/);
  assert.match(formatSelfTest({ ...REPORT, correctness: failed }), /FAILED {2}the card burns/);
});
