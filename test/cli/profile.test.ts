import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { UserError } from '../../src/common/errors.js';
import { packageRoot } from '../../src/common/files.js';
import { camelizeKeys } from '../../src/config/camel.js';
import { configSchema, type PartialConfig, type SettledConfig } from '../../src/config/schema.js';
import { packBatch } from '../../src/data/batch.js';
import { readOmega } from '../../src/model/profile-file.js';
import { ensureProfile, type ProfileInputs } from '../../src/workflows/profile.js';
import { runProgram } from './run-program.js';

/** A little data-bin of six pairs, made by the official code. */
const DATA_BIN = path.join(packageRoot(), 'test/data/fixtures/joint');

function scratchFolder(): string {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-profile-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const MODEL = {
  'embed-dim': 8,
  'ffn-embed-dim': 12,
  'attention-heads': 2,
  encoder: { layers: 2 },
  decoder: { layers: 1 },
} as const;

describe('admin-nmt profile', () => {
  const folder = scratchFolder();
  const config = {
    data: { 'source-lang': 'en', 'target-lang': 'it', destdir: DATA_BIN, prepared: true },
    model: MODEL,
  };
  fs.writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(config));

  const profile = (...flags: string[]) =>
    runProgram(['profile', 'config.yaml', '--backend', 'cpu', ...flags], { cwd: folder });
  const content = (...names: string[]) => fs.readFileSync(path.join(folder, ...names), 'utf8');

  test('writes both files into the run directory and prints a table', () => {
    const { status, stdout, stderr } = profile();
    assert.equal(status, 0, stderr);
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0], /layer +sublayer +Var\(x·ω\) +Var\(f\(x\)\) +ω/);
    assert.equal(lines.length, 1 + 2 * 2 + 3);
    assert.match(lines[1], /^encoder 0 +self-attention .* 1\.0000 +█+.?$/);
    assert.match(lines[7], /^decoder 0 +feed-forward/);
    assert.match(stderr, /6 pairs/);
    assert.match(stderr, /ω of the encoder: 1\.000 … \d\.\d{3}, mean .*; analytic \(log-n\) 1\.451/);
    const { sublayers } = JSON.parse(content('run', 'admin-profile.json'));
    assert.equal(sublayers.length, 7);
    assert.equal(content('run', 'profile.ratio.init').split('\n')[1], `2 ${sublayers[1].omega}`);
    assert.deepEqual(fs.readdirSync(path.join(folder, 'run')).sort(), [
      'admin-profile.json',
      'profile.ratio.init',
    ]);
  });

  test('the same config gives the same bytes; another seed others', () => {
    for (const [name, seed] of [
      ['a', '5'],
      ['b', '5'],
      ['c', '6'],
    ]) {
      const { status, stderr } = profile('--output', name, '--seed', seed);
      assert.equal(status, 0, stderr);
    }
    assert.equal(content('a', 'admin-profile.json'), content('b', 'admin-profile.json'));
    assert.equal(content('a', 'profile.ratio.init'), content('b', 'profile.ratio.init'));
    assert.notEqual(content('a', 'profile.ratio.init'), content('c', 'profile.ratio.init'));
  });

  test('says that another scheme will not use it', () => {
    const { status, stderr } = profile('--output', 'd', '--residual', 'post-ln');
    assert.equal(status, 0, stderr);
    assert.match(
      stderr,
      /is post-ln, which has no ω: this is the profile of the same model under admin, and train /,
    );
    assert.match(profile('--output', 'd', '--omega-init', 'analytic').stderr, /analytic/);
  });

  test('a token budget that no pair fits in is refused, and nothing is written', () => {
    const { status, stderr } = profile('--output', 'e', '--max-tokens', '1');
    assert.equal(status, 2);
    assert.match(stderr, /max-tokens/);
    assert.ok(!fs.existsSync(path.join(folder, 'e')));
  });
});

describe('ensureProfile', () => {
  before(async () => {
    await initBackend('cpu');
  });

  const configOf = (saveDir: string, changes: PartialConfig['model'] = {}, seed = 1): SettledConfig =>
    camelizeKeys(
      configSchema.parse({ seed, model: { ...MODEL, ...changes }, train: { 'save-dir': saveDir } }),
    ) as SettledConfig;

  /** Inputs that count how often they are profiled. */
  function countedInputs(dataHash = 'some data'): ProfileInputs & { profiled: number } {
    const pair = { source: Int32Array.of(5, 6, 2), target: Int32Array.of(7, 4, 8, 2) };
    return {
      profiled: 0,
      vocabulary: { source: 16, target: 16 },
      dataHash,
      firstBatch() {
        this.profiled++;
        return packBatch([0, 1], [pair, { source: pair.target, target: pair.source }], 2);
      },
    };
  }

  test('makes the profile where it is missing, and uses it from then on', async () => {
    const folder = path.join(scratchFolder(), 'run');
    const inputs = countedInputs();
    const omega = (await ensureProfile(configOf(folder), inputs))!;
    assert.deepEqual([omega.encoder.length, omega.decoder.length], [4, 3]);
    for (const name of ['admin-profile.json', 'profile.ratio.init']) {
      assert.deepEqual(readOmega(path.join(folder, name), configOf(folder).model), omega);
    }
    assert.deepEqual(await ensureProfile(configOf(folder), inputs), omega);
    assert.equal(inputs.profiled, 1);
  });

  test('makes it anew for another model, other data or another seed', async () => {
    const folder = scratchFolder();
    const inputs = countedInputs();
    const other = countedInputs('other data');
    const deeper = { encoder: { layers: 3 } };
    const first = await ensureProfile(configOf(folder), inputs);
    assert.equal((await ensureProfile(configOf(folder, deeper), inputs))!.encoder.length, 6);
    assert.equal(inputs.profiled, 2);
    await ensureProfile(configOf(folder, deeper), other);
    assert.equal(other.profiled, 1);
    assert.notDeepEqual(await ensureProfile(configOf(folder, {}, 2), other), first);
    assert.equal(other.profiled, 2);
  });

  test('takes ω from the file that the config names, of either kind, and refuses another shape', async () => {
    const folder = scratchFolder();
    const inputs = countedInputs();
    const omega = await ensureProfile(configOf(folder), inputs);
    for (const name of ['admin-profile.json', 'profile.ratio.init']) {
      const profile = path.join(folder, name);
      const elsewhere = path.join(folder, 'elsewhere');
      assert.deepEqual(await ensureProfile(configOf(elsewhere, { omega: { profile } }, 9), inputs), omega);
      await assert.rejects(
        () => ensureProfile(configOf(elsewhere, { omega: { profile }, decoder: { layers: 2 } }), inputs),
        (error: unknown) => error instanceof UserError && error.message.includes(name),
      );
    }
    assert.equal(inputs.profiled, 1);
  });

  test('refuses a damaged profile in the run directory', async () => {
    const folder = scratchFolder();
    await ensureProfile(configOf(folder), countedInputs());
    fs.truncateSync(path.join(folder, 'admin-profile.json'), 100);
    await assert.rejects(
      () => ensureProfile(configOf(folder), countedInputs()),
      (error: unknown) => error instanceof UserError && /admin-profile\.json/.test(error.message),
    );
  });

  test('has nothing to do for other schemes and for the analytic ω', async () => {
    const folder = scratchFolder();
    const inputs = countedInputs();
    assert.equal(await ensureProfile(configOf(folder, { residual: 'pre-ln' }), inputs), null);
    assert.equal(await ensureProfile(configOf(folder, { omega: { init: 'analytic' } }), inputs), null);
    assert.equal(inputs.profiled, 0);
    assert.deepEqual(fs.readdirSync(folder), []);
  });
});
