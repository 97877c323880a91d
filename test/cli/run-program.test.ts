import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { runProgram, spawnProgram } from './run-program.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-warm-'));
after(() => rmSync(folder, { recursive: true }));

test('one process for many command lines gives what a process for each gives', () => {
  writeFileSync(path.join(folder, 'ref'), 'the cat sat on the mat\na dog\n');
  const hyp = 'the cat sat on a mat\na dog\n';
  const calls: { line: string; input?: string; env?: NodeJS.ProcessEnv }[] = [
    { line: 'score ref -f text', input: hyp },
    { line: 'score ref -f text --quiet', input: 'one line\n' },
    { line: 'score ref -ci -cin 20 -f text', input: hyp, env: { SACREBLEU_SEED: '7' } },
    { line: 'score ref -ci -cin 20 -f text', input: hyp },
    { line: 'config print --set model.residual=pre-ln --set model.omega.train=false' },
    { line: 'train nope.yaml', env: { FORCE_COLOR: '1' } },
    { line: 'trian' },
    { line: 'translate --help' },
    { line: '--version' },
  ];
  for (const { line, ...options } of calls) {
    const [warm, own] = [runProgram, spawnProgram].map((run) =>
      run(line.split(' '), { cwd: folder, ...options }),
    );
    assert.deepEqual(warm, own, line);
  }
});
