import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { ChosenBackend } from '../../src/backend/init.js';
import { UserError } from '../../src/common/errors.js';
import { packageVersion } from '../../src/common/files.js';
import { log } from '../../src/common/log.js';
import { camelizeKeys } from '../../src/config/camel.js';
import { configSchema } from '../../src/config/schema.js';
import { chooseBackend, type Machine } from '../../src/workflows/choose-backend.js';
import { type Card, keepVerdict, readVerdict } from '../../src/workflows/self-test/verdicts.js';

log.setQuiet(true); // of the test that runs once

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-verdicts-'));
after(() => rmSync(folder, { recursive: true }));

const CARD: Card = {
  ...{ name: 'acme fast 1.0', software: false, package: '0.6.2' },
  ...{ vendor: 'acme', architecture: '', device: 'fast', description: '1.0' },
  ...{ subgroups: [32, 32], features: [], used: [], units: [], limits: {} },
};

const backendOf = (name: ChosenBackend['name'], precisions = {}): ChosenBackend => ({
  ...{ name, reason: `${name} runs`, engine: name, threads: 1, memory: null, isVolatile: false, precisions },
});

/** A machine with a card, told what becomes of it; what was done stands in `done`. */
function machineWith(changes: Partial<Machine> & { card?: Card; precisions?: object }): {
  machine: Machine;
  done: string[];
} {
  const { card = CARD, precisions, ...others } = changes;
  const done: string[] = [];
  const machine: Machine = {
    mayHaveCard: () => true,
    start: async (choice, threads, gpu) => {
      done.push([choice, threads, gpu].filter((part) => part != null).join(' '));
      return backendOf(choice === 'auto' ? 'native' : choice, precisions);
    },
    cardOf: () => card,
    verdictOn: () => null,
    test: async () => ({ right: true }),
    keep: (_, right) => void done.push(`keep ${right}`),
    ...others,
  };
  return { machine, done };
}

const { train, decode } = camelizeKeys(configSchema.parse({}));
const ASKED = { backend: 'auto', threads: null, gpu: null, train, decode } as const;

test('a card that passes its test is taken, and the verdict is kept', async () => {
  const { machine, done } = machineWith({});
  const { name, reason } = await chooseBackend(ASKED, machine);
  assert.deepEqual([name, reason], ['webgpu', 'webgpu runs']);
  assert.deepEqual(done, ['webgpu', 'keep true']);
});

test('a card that fails it is not, and why is said in one line', async () => {
  const { machine, done } = machineWith({ test: async () => ({ right: false }) });
  const { name, reason } = await chooseBackend(ASKED, machine);
  assert.equal(name, 'native');
  assert.equal(
    reason,
    'native runs; webgpu: acme fast 1.0 fails the self-test: admin-nmt check --backend webgpu',
  );
  assert.deepEqual(done, ['webgpu', 'keep false', 'auto']);
});

test('a card is not tested again, whatever came of it', async () => {
  for (const verdict of [true, false]) {
    const untested = async () => assert.fail('it was tested');
    const { machine } = machineWith({ verdictOn: () => verdict, test: untested });
    assert.equal((await chooseBackend(ASKED, machine)).name, verdict ? 'webgpu' : 'native');
  }
});

test('where there can be no card, nothing is looked for and nothing said', async () => {
  const { machine, done } = machineWith({ mayHaveCard: () => false });
  assert.equal((await chooseBackend(ASKED, machine)).reason, 'native runs');
  assert.deepEqual(done, ['auto']);
});

test('a card that does not open: the reason, and the next engine', async () => {
  const { machine, done } = machineWith({});
  const start: Machine['start'] = async (choice, ...rest) => {
    if (choice === 'webgpu')
      throw new UserError({ problem: "the backend 'webgpu' is not available: there is no graphics card" });
    return machine.start(choice, ...rest);
  };
  const { reason } = await chooseBackend(ASKED, { ...machine, start });
  assert.equal(reason, 'native runs; webgpu: there is no graphics card');
  assert.deepEqual(done, ['auto']);
});

test('a driver in software is not taken, even by its name', async () => {
  const { machine } = machineWith({ card: { ...CARD, software: true } });
  const { name, reason } = await chooseBackend({ ...ASKED, gpu: 'acme' }, machine);
  assert.deepEqual(
    [name, reason],
    ['native', 'native runs; webgpu: acme fast 1.0 computes on the processor'],
  );
});

test('what no card has is for the processor, and no card is opened for it', async () => {
  for (const [changes, why] of [
    [{ train: { ...train, precision: 'bfloat16' } }, 'it has no bfloat16'],
    [{ train: { ...train, evalBleu: true }, decode: { ...decode, precision: 'int8' } }, 'it has no int8'],
    [
      { train: { ...train, maxTokens: 'auto' } },
      'it does not tell what 80% of its memory are, as train.max-tokens auto needs',
    ],
    [{ threads: 2 }, 'threads are given'],
  ] as const) {
    const { machine, done } = machineWith({});
    const { reason } = await chooseBackend({ ...ASKED, ...changes } as never, machine);
    assert.equal(reason, `native runs; webgpu: ${why}`);
    assert.equal(done.length, 1);
  }
});

test('a card that is named is taken although threads are given; an engine that is named is taken as it is', async () => {
  const { machine, done } = machineWith({});
  assert.equal((await chooseBackend({ ...ASKED, threads: 2, gpu: 'acme' }, machine)).name, 'webgpu');
  assert.equal((await chooseBackend({ ...ASKED, backend: 'cpu', threads: 2 }, machine)).name, 'cpu');
  assert.deepEqual(done, ['webgpu acme', 'keep true', 'cpu 2']);
});

test('verdicts are kept by card, driver, package and version of the program', () => {
  const file = path.join(folder, 'below', 'cards.json');
  assert.equal(readVerdict(CARD, file), null);
  keepVerdict(CARD, true, file);
  keepVerdict({ ...CARD, name: 'other' }, false, file);
  assert.equal(readVerdict(CARD, file), true);
  assert.equal(readVerdict({ ...CARD, name: 'other' }, file), false);
  assert.equal(readVerdict({ ...CARD, package: '0.6.3' }, file), null);
  assert.ok(
    `acme fast 1.0; webgpu 0.6.2; admin-nmt ${packageVersion()}` in JSON.parse(readFileSync(file, 'utf8')),
  );
  keepVerdict(CARD, false, file);
  assert.equal(readVerdict(CARD, file), false);
});

test('a file of verdicts that is damaged says nothing, and is made anew; one that cannot be written does not matter', () => {
  const file = path.join(folder, 'damaged.json');
  for (const text of ['{"acme', '[true]', 'null', '"x"', '']) {
    writeFileSync(file, text);
    assert.equal(readVerdict(CARD, file), null, text);
  }
  keepVerdict(CARD, true, file);
  assert.equal(readVerdict(CARD, file), true);
  writeFileSync(
    file,
    JSON.stringify(JSON.parse(readFileSync(file, 'utf8')), (_, value) => (value === true ? 'yes' : value)),
  );
  assert.equal(readVerdict(CARD, file), null);
  const blocked = path.join(folder, 'folder.json');
  mkdirSync(blocked);
  assert.doesNotThrow(() => keepVerdict(CARD, true, blocked));
  assert.doesNotThrow(() => keepVerdict(CARD, true, path.join(file, 'below', 'cards.json')));
});
