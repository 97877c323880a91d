import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { checkScores, checkTokenizers, type RecordedLine, type RecordedScores } from './recorded.js';
import { checkSignificance, type RecordedSignificance } from './recorded-significance.js';

/**
 * Against a sacreBLEU that runs here: `SACREBLEU_PYTHON=python3` names an interpreter that can import it.
 * `SACREBLEU_SEED` and `SACREBLEU_CORPORA` make other text and more of it.
 */
const python = process.env.SACREBLEU_PYTHON;
const seed = process.env.SACREBLEU_SEED ?? '1';
const corpora = process.env.SACREBLEU_CORPORA ?? '40';
const skip = python ? false : 'SACREBLEU_PYTHON does not name a python that can import sacrebleu';

function ask<T>(part: string, ...options: string[]): T {
  const script = path.join(packageRoot(), 'scripts/record-sacrebleu-fixtures.py');
  const output = execFileSync(python!, [script, '--seed', seed, '--only', part, '--stdout', ...options], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  const { origin, ...parts } = JSON.parse(output);
  assert.equal(origin.sacrebleu, '2.6.0');
  return parts[part];
}

test('scores equal those of a running sacreBLEU', { skip }, (t) => {
  const recorded = ask<RecordedScores>('scores', '--corpora', corpora);
  t.diagnostic(`seed ${seed}: ${checkScores(recorded)}`);
});

test('intervals and p-values equal those of a running sacreBLEU', { skip }, (t) => {
  const recorded = ask<RecordedSignificance[]>('significance', '--corpora', corpora);
  t.diagnostic(`seed ${seed}: ${checkSignificance(recorded)}`);
});

test('tokenizers equal those of a running sacreBLEU', { skip }, (t) => {
  const lines = ask<RecordedLine[]>('tokenizers', '--lines', String(20 * Number(corpora)));
  t.diagnostic(`seed ${seed}: ${checkTokenizers(lines)} tokenized lines`);
});
