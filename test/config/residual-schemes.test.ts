import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { hasOmega, RESIDUALS, SCHEMES, withoutOmega } from '../../src/config/residual-schemes.js';
import { configSchema } from '../../src/config/schema.js';

/** Lines that may name a scheme: they choose one, or name what is no scheme (a measure of the doctor). */
const CHOICES = [/\bresidual: '/, /'--residual', '/, /\bmeasure: '/, /^\s*\| '/];

test('no source file but the table compares with the name of a scheme', () => {
  const source = path.join(packageRoot(), 'src');
  const named = new RegExp(`['"\`](${RESIDUALS.join('|')})['"\`]`);
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && path.basename(file) !== 'residual-schemes.ts',
  );
  assert.ok(files.length > 100);
  const found = files.flatMap((file) =>
    readFileSync(path.join(source, file), 'utf8')
      .split('\n')
      .filter((line) => named.test(line) && !CHOICES.some((choice) => choice.test(line)))
      .map((line) => `src/${file}: ${line.trim()}`),
  );
  assert.deepEqual(found, [], 'ask SCHEMES, hasOmega or omegaStacks instead');
});

test('the schema takes every scheme', () => {
  for (const residual of RESIDUALS) {
    assert.equal(configSchema.parse({ model: { residual } }).model.residual, residual);
  }
});

test('ω, and what is left without it', () => {
  assert.deepEqual(
    RESIDUALS.filter((residual) => hasOmega({ residual })),
    ['admin'],
  );
  for (const residual of RESIDUALS) {
    const rest = withoutOmega(residual)!;
    assert.equal(rest, residual === 'admin' || residual === 'look-linear' ? 'post-ln' : residual);
  }
});

test('one scheme at most is read for an init type of the official code and a place of the norms', () => {
  const read = RESIDUALS.flatMap((residual) => {
    const { encoder, decoder, fairseq } = SCHEMES[residual];
    return fairseq.reads.map((type) => [type, encoder.norm === 'pre', decoder.norm === 'pre'].join());
  });
  assert.equal(new Set(read).size, read.length);
});
