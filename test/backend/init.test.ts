import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { describe, test } from 'node:test';
import { AUTO, BACKENDS, type BackendName, initBackend } from '../../src/backend/init.js';
import { UserError } from '../../src/common/errors.js';
import { configSchema } from '../../src/config/schema.js';
import { tf } from '../../src/ops/tf.js';

/** Why a backend cannot be used here and what to do about it, or null where it can. */
async function complaintOf(
  name: BackendName,
): Promise<{ problem: string; where?: string; hint?: string } | null> {
  try {
    await initBackend(name);
    return null;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.complaints.length, 1);
    return error.complaints[0];
  }
}

const complaints = new Map<BackendName, Awaited<ReturnType<typeof complaintOf>>>();
for (const name of BACKENDS) complaints.set(name, await complaintOf(name));
const available = BACKENDS.filter((name) => complaints.get(name) === null);
const absent = BACKENDS.filter((name) => complaints.get(name) !== null);

test('cpu and wasm are there in every installation', () => {
  assert.deepEqual(available.slice(-2), ['wasm', 'cpu']);
});

for (const name of BACKENDS) {
  test(`${name}: it computes`, { skip: complaints.get(name)?.problem ?? false }, async () => {
    const chosen = await initBackend(name);
    assert.equal(chosen.name, name);
    assert.equal(tf.getBackend(), name);
    const product = tf.tidy(() => tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).dataSync());
    assert.deepEqual([...product], [3, 3, 3, 3]);
  });
}

test('a forced backend gives what it is for its reason, in one line', async () => {
  assert.equal((await initBackend('cpu')).reason, 'plain JavaScript, slow');
  assert.match((await initBackend('wasm')).reason, /^WebAssembly, (no )?SIMD, one thread$/);
});

test('a backend may be chosen again, and another after it', async () => {
  for (const name of ['wasm', 'cpu', 'cpu', 'wasm'] as const) {
    assert.equal((await initBackend(name)).name, name);
    assert.equal(tf.getBackend(), name);
  }
});

test('auto takes the first that is there and says why each before it was passed over', async () => {
  await initBackend('cpu');
  const { name, reason } = await initBackend('auto');
  assert.equal(
    name,
    AUTO.find((one) => available.includes(one)),
  );
  assert.equal(tf.getBackend(), name);
  const [what, ...passed] = reason.split(/; (?=native: |tensorflow: )/);
  assert.equal(what, (await initBackend(name)).reason);
  const before = AUTO.slice(0, AUTO.indexOf(name));
  assert.equal(passed.length, before.length);
  before.forEach((missing, i) => {
    assert.ok(passed[i].startsWith(`${missing}: `));
    assert.ok(complaints.get(missing)!.problem.endsWith(passed[i].slice(missing.length + 2)));
  });
  assert.ok(!reason.includes('\n'));
});

describe('a backend that is not there', { skip: absent.length === 0 && 'all are there' }, () => {
  for (const name of absent) {
    test(`${name}: a UserError that says what is missing and what to do`, () => {
      const { problem, where, hint } = complaints.get(name)!;
      assert.ok(problem.startsWith(`the backend '${name}' is not available: `), problem);
      assert.equal(where, 'backend');
      assert.match(hint ?? '', /npm (install|run) |--backend (native|wasm)/);
      assert.ok(!problem.includes('\n'));
    });
  }
});

test('tensorflow: names both packages and the commands that install them', {
  skip: available.includes('tensorflow') && 'it is installed',
}, () => {
  const { problem, hint } = complaints.get('tensorflow')!;
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    assert.ok(problem.includes(`${name} is not installed`) || problem.includes(`${name}: `), problem);
    assert.ok(hint!.includes(`\`npm install ${name}\``), hint);
  }
});

test('a backend that is not there leaves the one that is set', async () => {
  await initBackend('cpu');
  for (const name of absent) await assert.rejects(initBackend(name), UserError);
  assert.equal(tf.getBackend(), 'cpu');
});

test('the config knows these backends and auto, and refuses any other', () => {
  for (const backend of ['auto', ...BACKENDS]) assert.equal(configSchema.parse({ backend }).backend, backend);
  for (const backend of ['cuda', 'webgl', 'CPU', '']) assert.throws(() => configSchema.parse({ backend }));
});

const native = complaints.get('native') === null;

describe('the native engine is not asked for what cannot be', {
  skip: !native && 'the native engine is not built',
}, () => {
  for (const threads of [0, -1, 1.5, 257, 40_000, Number.NaN]) {
    test(`${threads} threads`, async () => {
      await assert.rejects(initBackend('native', threads), (error: UserError) => {
        assert.equal(error.complaints[0].problem, `expected 1 to 256 threads, found ${threads}`);
        return error.complaints[0].where === 'threads';
      });
    });
  }

  test('without a number it has as many threads as this process may use', async () => {
    const { reason } = await initBackend('native');
    assert.match(reason, new RegExp(`, ${Math.min(availableParallelism(), 256)} threads$`));
  });

  /** The first complaint of `work`, in a process of its own that `before` has prepared. */
  const inProcess = (work: string, before = ''): string => {
    const init = new URL('../../src/backend/init.js', import.meta.url).href;
    const script = `import { initBackend } from '${init}';
      try { ${work} } catch (error) { console.log(error.name, error.complaints[0].where, error.complaints[0].problem); }`;
    const node = [process.execPath, '--input-type=module', '--eval', script];
    const { stdout, stderr } = spawnSync('sh', ['-c', `${before} exec "$@"`, 'sh', ...node], {
      encoding: 'utf8',
    });
    return stdout + stderr;
  };

  test('where it is not built, auto goes on to the next', () => {
    const said = inProcess(
      "await initBackend('auto').then(({ name, reason }) => console.log(name, reason))",
      'ADMIN_NMT_NATIVE=no-such-folder',
    );
    const next = AUTO.find((name) => name !== 'native' && available.includes(name));
    assert.match(said, new RegExp(`^${next} .*; native: its addon is not built`));
  });

  test('threads that the system does not give: the engine goes on with one', {
    skip:
      (process.platform !== 'linux' || process.env.ASAN_OPTIONS !== undefined) &&
      'the address space cannot be limited here',
  }, () => {
    const goOn = "initBackend('native', 1).then(({ reason }) => console.log(reason))";
    const said = inProcess(
      `await initBackend('native', 250).finally(() => ${goOn})`,
      'ulimit -s 8192; ulimit -v 2000000;',
    );
    assert.match(said, /^the C\+\+ engine, \w+, 1 threads$/m);
    assert.match(said, /^UserError threads the system did not start 250 threads \(setThreads: .+\)$/m);
  });

  test('an instruction set that there is not, by the name of the backend and by auto', () => {
    const said = ['native', 'auto'].map((backend) =>
      inProcess(`await initBackend('${backend}', 1)`, 'export ADMIN_NMT_ISA=bogus;'),
    );
    const expected =
      /^UserError ADMIN_NMT_ISA expected an instruction set that this processor has \((\w+, )*base\), found 'bogus'\n$/;
    for (const text of said) assert.match(text, expected);
  });
});

test('the native engine alone computes in another precision than float32, and tells how', async () => {
  for (const name of available) {
    const { precisions, reason } = await initBackend(name);
    assert.deepEqual(Object.keys(precisions), name === 'native' ? ['bfloat16', 'int8'] : []);
    if (name !== 'native') continue;
    const hasUnit = /, avx512bf16,/.test(reason);
    assert.match(
      precisions.bfloat16,
      hasUnit ? /^avx512bf16: VDPBF16PS$/ : /^\w+: .*float32 is at least as fast here$/,
    );
    const hasInt8 = /, avx(2vnni|512vnni|512bf16),/.test(reason);
    assert.match(precisions.int8, hasInt8 ? /^\w+: VPDPBUSD$/ : /^\w+: the same bits without VPDPBUSD$/);
  }
});

const ENGINES: Partial<Record<BackendName, RegExp>> = {
  native: /^native (avx512|avx2|base)$/,
  webgpu: /^webgpu .+$/,
};

test('what decides the bits is told', async () => {
  for (const name of available) {
    const { engine } = await initBackend(name);
    assert.match(engine, ENGINES[name] ?? new RegExp(`^${name}$`));
  }
});

test('a backend name has no underscore, at which tfjs would split it', () => {
  for (const name of BACKENDS) assert.doesNotMatch(name, /_/);
});
