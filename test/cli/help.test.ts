import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { describe, test } from 'node:test';
import { packageRoot, packageVersion } from '../../src/common/files.js';
import { runProgram } from './run-program.js';

/** Recorded texts; UPDATE_HELP=1 records them anew. */
const recorded = path.join(packageRoot(), 'test/cli/fixtures/help');

const COMMANDS = [
  '',
  'demo',
  'align',
  'preprocess',
  'profile',
  'train',
  'sweep',
  'average',
  'shortlist',
  'translate',
  'evaluate',
  'rerank',
  'serve',
  'fold',
  'export',
  'import',
  'check',
  'score',
  'runs',
  'report',
  'analyze',
  'config',
  'config schema',
  'config explain',
  'config print',
  'completion',
];

describe('--help', () => {
  for (const command of COMMANDS) {
    test(`of admin-nmt ${command}`, () => {
      const { status, stdout, stderr } = runProgram([...command.split(' ').filter(Boolean), '--help']);
      assert.equal(status, 0);
      assert.equal(stderr, '');
      const file = path.join(recorded, `${command.replace(' ', '-') || 'admin-nmt'}.txt`);
      if (process.env.UPDATE_HELP === '1') {
        mkdirSync(recorded, { recursive: true });
        writeFileSync(file, stdout);
      }
      assert.ok(existsSync(file), `${file} is missing: record it with UPDATE_HELP=1`);
      assert.equal(stdout, readFileSync(file, 'utf8'));
    });
  }

  test('help COMMAND is the same', () => {
    assert.deepEqual(runProgram(['help', 'train']), runProgram(['train', '--help']));
    assert.deepEqual(runProgram(['help', 'help']), runProgram(['--help']));
  });
});

test('--version prints the version alone', () => {
  const { status, stdout, stderr } = runProgram(['--version']);
  assert.deepEqual([status, stdout, stderr], [0, `${packageVersion()}\n`, '']);
});
