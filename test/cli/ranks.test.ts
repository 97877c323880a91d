import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import { type Launcher, missing } from '../../scripts/ranks-launcher.js';
import { packageRoot } from '../../src/common/files.js';
import { runRanks } from '../distributed/run-ranks.js';
import { mainFile, runProgram } from './run-program.js';

test('--ranks without --dry-run says who starts ranks', () => {
  const { status, stderr } = runProgram(['train', '--seed', '2', '--ranks', '4']);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /--ranks .*: expected with --dry-run, found without\n {2}MPI starts them: mpirun -n 4 /,
  );
});

describe('translate by several ranks', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-ranks-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const run = path.join(packageRoot(), 'test/cli/fixtures/run-v1');
  const input = path.join(folder, 'lines');
  const words = ['a', 'b', '', 'a b', 'b a a'];
  const long = 'a '.repeat(3000);
  writeFileSync(
    input,
    Array.from({ length: 900 }, (_, i) => (i === 701 ? `${long}\n` : `${words[i % 5]}\n`)).join(''),
  );
  const flags = [
    '--backend',
    'native',
    '--beam',
    '1',
    '--max-len-a',
    '0',
    '--max-len-b',
    '3',
    '--format',
    'jsonl',
  ];
  const ask = (file: string, output: string) => ['translate', run, '-i', file, '-o', output, ...flags];
  const one = path.join(folder, 'one');

  for (const [launcher, sizes] of [
    ['mpirun.openmpi', [2, 3]],
    ['mpirun.mpich', [2]],
  ] as [Launcher, number[]][]) {
    for (const size of sizes) {
      test(`writes what one writes, by ${size} of ${launcher}`, { skip: missing(launcher) }, async () => {
        const alone = runProgram(ask(input, one));
        assert.equal(alone.status, 0, alone.stderr);
        const [cut] = /warning: line 702: .*/.exec(alone.stderr)!;
        const many = path.join(folder, `${launcher}-${size}`);
        const { status, output } = await runRanks(launcher, size, [
          mainFile,
          ...ask(input, many),
          '--threads',
          '1',
        ]);
        assert.equal(status, 0, output);
        assert.ok(readFileSync(many).equals(readFileSync(one)));
        assert.equal(output.split(cut).length, 2, output); // of three ranks, the last has it
      });
    }
  }

  test('ends with a word, once, where it cannot be done', { skip: missing('mpirun.openmpi') }, async () => {
    for (const [file, said] of [
      ['-', /error: --input: expected a file that all ranks read/g],
      [path.join(folder, 'none'), /error: .*none: no such file/g],
    ] as [string, RegExp][]) {
      const { status, output } = await runRanks('mpirun.openmpi', 2, [mainFile, ...ask(file, one)]);
      assert.equal(status, 2, output);
      assert.equal(output.match(said)?.length, 1, output);
    }
  });

  test('other commands say what to use in place of ranks', { skip: missing('mpirun.openmpi') }, async () => {
    const { status, output } = await runRanks('mpirun.openmpi', 2, [mainFile, 'preprocess']);
    assert.equal(status, 2, output);
    assert.match(output, /`preprocess` has no use.*\n {2}It uses all threads of one machine: --threads/);
  });
});
