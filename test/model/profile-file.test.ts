import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import type { ProfiledSublayer } from '../../src/model/profile.js';
import {
  OFFICIAL_PROFILE_FILE,
  PROFILE_FILE,
  readOmega,
  readProfile,
  writeOfficialProfile,
  writeProfile,
} from '../../src/model/profile-file.js';
import { sitesOf } from '../../src/model/scheme.js';
import { tinyConfig } from './models.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-profile-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const file = path.join(folder, PROFILE_FILE);
const official = path.join(folder, OFFICIAL_PROFILE_FILE);

const CONFIG = tinyConfig({ encoder: { layers: 2 }, decoder: { layers: 1 } });
const ORIGIN = { modelHash: 'm', dataHash: 'd', seed: 3 };
const OMEGA = {
  encoder: [1, 1.5, Math.fround(1.7), 2],
  decoder: [1, Math.fround(1.3), Math.fround(Math.PI)],
};
const SUBLAYERS: ProfiledSublayer[] = (['encoder', 'decoder'] as const).flatMap((stack) =>
  sitesOf(CONFIG, stack).map((site, i) => ({
    ...site,
    shortcutVariance: 1.25 + i,
    branchVariance: 0.1 * i,
    omega: OMEGA[stack][i],
  })),
);

function write(): void {
  writeProfile(file, CONFIG, SUBLAYERS, ORIGIN);
  writeOfficialProfile(official, SUBLAYERS);
}

function assertRefused(target: string, config: typeof CONFIG, ...patterns: RegExp[]): void {
  assert.throws(
    () => readOmega(target, config),
    (error: unknown) =>
      error instanceof UserError &&
      error.message.includes(target) &&
      patterns.every((pattern) => pattern.test(error.message)),
    patterns.join(' '),
  );
}

test('both files give ω back, and twice the same bytes', () => {
  write();
  assert.deepEqual(readOmega(file, CONFIG), OMEGA);
  assert.deepEqual(readOmega(official, CONFIG), OMEGA);
  const bytes = [file, official].map((name) => readFileSync(name, 'utf8'));
  write();
  assert.deepEqual(
    [file, official].map((name) => readFileSync(name, 'utf8')),
    bytes,
  );
});

test('admin-profile.json says what it was made of', () => {
  write();
  const profile = readProfile(file);
  assert.deepEqual(profile, {
    format: 'admin-nmt/profile',
    version: 1,
    model: { embedDim: 8, encoderLayers: 2, decoderLayers: 1 },
    ...ORIGIN,
    sublayers: SUBLAYERS,
  });
});

test('profile.ratio.init counts from 1 in each stack', () => {
  write();
  assert.deepEqual(
    readFileSync(official, 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[0]),
    ['1', '2', '3', '4', '1', '2', '3', ''],
  );
});

test('what the official code writes is read', () => {
  writeFileSync(official, '1 1.0\n2 1.3192689628634\n3 1.5\n4 1.625e0\n1 1.0\n2 1.3437\n3 1.4000000001\n');
  assert.deepEqual(readOmega(official, CONFIG), {
    encoder: [1, 1.3192689628634, 1.5, 1.625],
    decoder: [1, 1.3437, 1.4000000001],
  });
});

test('the init file of deepnmt is read: a number a line', () => {
  const omegas = { encoder: [1, 1.3192689628634, 1.5, 1.625], decoder: [1, 1.3437, 1.4000000001] };
  const lines = [...omegas.encoder, ...omegas.decoder].map((omega) => `${omega}\n`);
  writeFileSync(official, lines.join(''));
  assert.deepEqual(readOmega(official, CONFIG), omegas);
  writeFileSync(official, lines.slice(1).join(''));
  assertRefused(official, CONFIG, /expected 7 lines/, /found 6/);
  writeFileSync(official, lines.with(3, '4 1.625\n').join(''));
  assertRefused(official, CONFIG, /:4/, /expected "ω"/);
  writeFileSync(official, lines.with(3, '-1\n').join(''));
  assertRefused(official, CONFIG, /:4/, /found "-1"/);
});

test('another depth or width is refused, naming both', () => {
  write();
  const deeper = tinyConfig({ encoder: { layers: 3 }, decoder: { layers: 1 } });
  const both = [
    /3 encoder and 1 decoder layers of width 8/,
    /2 encoder and 1 decoder layers of width 8/,
  ] as const;
  assertRefused(file, deeper, ...both);
  assertRefused(official, deeper, /9 lines for 3 encoder and 1 decoder/, /found 7/);
  assertRefused(file, { ...CONFIG, embedDim: 16 }, /width 16/, /width 8/);
  // As many sublayers in all, but of other stacks: 1 + 2 layers have 2 + 6, 4 + 0 would have 8.
  const other = tinyConfig({ encoder: { layers: 1 }, decoder: { layers: 2 } });
  writeFileSync(official, Array.from({ length: 8 }, (_, i) => `${i + 1} 1.5\n`).join(''));
  assertRefused(official, other, /:3/, /expected "1 ω"/);
});

test('a truncated file is refused wherever it was cut', () => {
  write();
  for (const target of [file, official]) {
    const bytes = readFileSync(target);
    for (let length = 0; length < bytes.length - 1; length += 3) {
      writeFileSync(target, bytes.subarray(0, length));
      assertRefused(target, CONFIG);
    }
  }
});

test('garbage is refused', () => {
  const refused = (target: string, content: string | Uint8Array, ...patterns: RegExp[]) => {
    writeFileSync(target, content);
    assertRefused(target, CONFIG, ...patterns);
  };
  write();
  const { checksum: _, ...profile } = JSON.parse(readFileSync(file, 'utf8'));
  const changed = (change: (copy: typeof profile) => void) => {
    const copy = structuredClone(profile);
    change(copy);
    return JSON.stringify(copy);
  };
  refused(file, new Uint8Array(64).fill(255), /JSON/);
  refused(file, 'null', /not an admin-profile/);
  refused(file, '{"format":"other"}', /not an admin-profile/);
  refused(
    file,
    changed((copy) => (copy.version = 2)),
    /version 1 or before, found version 2/,
  );
  refused(
    file,
    changed((copy) => delete copy.model),
    /shape of the model/,
  );
  refused(
    file,
    changed((copy) => (copy.model.decoderLayers = 2 ** 50)),
    /sublayers/,
  );
  refused(
    file,
    changed((copy) => copy.sublayers.pop()),
    /7 sublayers/,
  );
  refused(
    file,
    changed((copy) => copy.sublayers.reverse()),
    /order/,
  );
  refused(
    file,
    changed((copy) => (copy.sublayers[2].omega = -1)),
    /positive/,
  );
  refused(
    file,
    changed((copy) => (copy.sublayers[2].omega = null)),
    /positive/,
  );
  refused(
    file,
    changed((copy) => (copy.sublayers[2] = null)),
    /sublayers/,
  );
  const lines = ['1 1', '2 1.5', '3 1.7', '4 2', '1 1', '2 1.3', '3 3.1'];
  const withLine = (i: number, line: string) => `${lines.with(i, line).join('\n')}\n`;
  refused(official, withLine(2, '3 nan'), /:3/);
  refused(official, withLine(2, '3 -1'), /:3/);
  refused(official, withLine(2, '4 1.7'), /:3/);
  refused(official, withLine(2, '3 1.7 9'), /:3/);
  refused(official, withLine(2, '3'), /:3/);
});

test('a digit that changed is found, white space is free, and a file without a checksum is read', () => {
  write();
  const text = readFileSync(file, 'utf8');
  const whole = readProfile(file);
  writeFileSync(
    file,
    text.replace(/"branchVariance": (\d)/, (_, digit) => `"branchVariance": ${(Number(digit) + 1) % 10}`),
  );
  assertRefused(file, CONFIG, /does not fit its checksum/);
  const { checksum, ...unsealed } = JSON.parse(text);
  assert.match(checksum, /^[0-9a-f]{64}$/);
  for (const content of [JSON.parse(text), unsealed]) {
    writeFileSync(file, JSON.stringify(content));
    assert.deepEqual(readProfile(file), whole);
  }
});
