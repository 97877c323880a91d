import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Launcher, missing } from '../../scripts/ranks-launcher.js';
import { writeTinyTask } from '../../scripts/tiny-task.js';
import { createProgram, isCommand } from '../../src/cli/program.js';
import { joinRanks } from '../../src/cli/ranks.js';
import { packageRoot } from '../../src/common/files.js';
import { parseTemporaryName } from '../../src/common/leftovers.js';
import { isRunning } from '../../src/common/processes.js';
import { program, runRanks } from '../distributed/run-ranks.js';
import { mainFile, runProgram, spawnProgram } from './run-program.js';

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

  /** MPI does not always wait for those that it has told to end. */
  const endOf = async (processId?: number): Promise<void> => {
    while (processId !== undefined && isRunning(processId)) await setTimeout(20);
  };

  for (const [launcher, rank] of [
    ['mpirun.openmpi', 1],
    ['mpirun.mpich', 0],
  ] as [Launcher, number][]) {
    test(`leaves the output as it was where rank ${rank} of ${launcher} is killed`, {
      skip: missing(launcher),
    }, async () => {
      const place = path.join(folder, `killed-${rank}`);
      mkdirSync(place);
      const [output, text] = [path.join(place, 'out'), path.join(folder, 'many-lines')];
      writeFileSync(output, 'as it was\n');
      writeFileSync(text, 'a b\n'.repeat(30_000));
      const dies = ['--import', program('dies-while-writing'), mainFile];
      const env = { DYING_RANK: `${rank}`, DYING_IN: place };
      const found = await runRanks(launcher, 2, [...dies, ...ask(text, output), '--threads', '1'], env);
      assert.notEqual(found.status, 0, found.output);
      assert.match(found.output, /rank \d (on \S+ has ended|.* on signal 9)|EXIT CODE: 9|exit code 137/i);
      assert.equal(readFileSync(output, 'utf8'), 'as it was\n');
      for (const name of readdirSync(place)) await endOf(parseTemporaryName(name)?.processId);
      assert.equal(runProgram(ask(input, output)).status, 0);
      assert.equal(runProgram(ask(input, one)).status, 0);
      assert.ok(readFileSync(output).equals(readFileSync(one)));
      assert.deepEqual(readdirSync(place), ['out']);
    });
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
});

describe('ranks that differ are refused by rank 0 alone before anything is made', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-ranks-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  writeTinyTask(folder, 4);
  const other = path.join(folder, 'other');
  mkdirSync(other);
  for (const name of ['corpus', 'config.yaml'])
    cpSync(path.join(folder, name), path.join(other, name), { recursive: true });
  const text = path.join(other, 'corpus/train.toa');
  writeFileSync(text, readFileSync(text, 'utf8').split('\n').reverse().slice(1).concat('').join('\n'));

  /** Two ranks in folders of their own, which begin with the same configs. */
  const train = (launcher: Launcher, first: readonly string[], second: readonly string[], place: string) => {
    const ask = [mainFile, 'train', 'config.yaml', '--threads', '1'];
    const rest = ['-wdir', place, process.execPath, ...ask, ...second];
    return runRanks(launcher, 1, [...ask, ...first, ':', '-n', '1', ...rest], {}, folder);
  };

  for (const launcher of ['mpirun.openmpi', 'mpirun.mpich'] as Launcher[]) {
    const skip = missing(launcher);
    test(`other configs by ${launcher}`, { skip }, async () => {
      const flags = ['--destdir', 'no-data', '--save-dir', 'no-run'];
      const { status, output } = await train(
        launcher,
        flags,
        [...flags, '--lr', '0.3', '--log-interval', '3'],
        folder,
      );
      assert.equal(status, 2, output);
      assert.match(
        output,
        /^error: train\.lr: expected the same on all ranks, found [\d.]+ on rank 0 .*; 0\.3 on rank 1 /m,
      );
      assert.match(
        output,
        /^error: train\.log-interval: .* 7 on rank 0 .*; 3 on rank 1 .*\n {2}All hosts need /m,
      );
      assert.equal(output.match(/^error:/gm)?.length, 2, output);
      assert.deepEqual(
        ['no-data', 'no-run'].filter((name) => existsSync(path.join(folder, name))),
        [],
      );
    });
  }

  test('other data', { skip: missing('mpirun.openmpi') }, async () => {
    const flags = ['--destdir', 'other-data', '--save-dir', 'other-run'];
    const { status, output } = await train('mpirun.openmpi', flags, flags, other);
    assert.equal(status, 2, output);
    assert.match(output, /^error: the training data: expected the same on all ranks, found \w+ on rank 0 /m);
    for (const place of [folder, other]) {
      const run = path.join(place, 'other-run');
      assert.deepEqual(existsSync(run) ? readdirSync(run) : [], []);
    }
  });

  test('a run that one would go on with and another start anew keeps its checkpoints', {
    skip: missing('mpirun.openmpi'),
  }, async () => {
    const flags = ['--backend', 'native'];
    const begun = runProgram(['train', 'config.yaml', '--update-freq', '2', ...flags], { cwd: folder });
    assert.equal(begun.status, 0, begun.stderr);
    const run = path.join(folder, 'run');
    const before = readdirSync(run);
    const half = ['--update-freq', '1', ...flags];
    const { status, output } = await train('mpirun.openmpi', ['--restart', ...half], half, folder);
    assert.equal(status, 2, output);
    assert.match(
      output,
      /^error: the last checkpoint of the run: .* found none on rank 0 .*; checkpoint_1_4 on rank 1 /m,
    );
    assert.deepEqual(readdirSync(run), before);
  });
});

describe('what several processes cannot do together is told by rank 0 alone, with exit code 2', () => {
  const said = /^error: sweep: expected one process, found 3, .*\n {2}Start it without \w+\. sweep --jobs /m;
  const cases: [Launcher, string[], RegExp][] = [
    ['mpirun.openmpi', ['sweep', 'plan.yaml'], said],
    ['mpirun.mpich', ['sweep', 'plan.yaml'], said],
    ['mpirun.mpich', ['trian'], /^error: unknown command 'trian'\n {2}Did you mean train\?/m],
  ];
  for (const [launcher, args, message] of cases) {
    test(`${args[0]} by ${launcher}`, { skip: missing(launcher) }, async () => {
      const { status, output } = await runRanks(launcher, 3, [mainFile, ...args]);
      assert.equal(status, 2, output);
      assert.match(output, message);
      assert.equal(output.match(/^error:/gm)?.length, 1, output);
    });
  }

  const slurm = (rank: number) => ({ SLURM_PROCID: `${rank}`, SLURM_STEP_NUM_TASKS: '2' });
  const messageOf = async (...args: string[]): Promise<string> => {
    let message = '';
    await joinRanks(args, isCommand, slurm(0)).catch((error) => {
      message = (error as Error).message;
    });
    return message;
  };

  test('every command shares out, is refused, or is left to rank 0', async () => {
    const { commands } = await createProgram();
    for (const name of commands.map((command) => command.name())) {
      const expected = ['train', 'translate'].includes(name)
        ? /^srun has started 2 processes that cannot find each other\n {2}Give srun --mpi=pmix /
        : new RegExp(`^${name}: expected one process, found 2, started by srun\n  Start it without srun\\.`);
      assert.match(await messageOf(name, 'x'), expected);
      assert.equal(await messageOf(name, '--help'), '');
      assert.equal(await messageOf('--distributed', 'none', name), '');
    }
    assert.equal(await messageOf(), '');
    assert.equal(await messageOf('trian'), '');
  });

  test('also where srun gives them no way to find each other', () => {
    const [first, second] = [0, 1].map((rank) => spawnProgram(['train'], { env: slurm(rank) }));
    assert.deepEqual([first.status, second.status], [2, 2]);
    assert.match(first.stderr, /^error: srun has started 2 processes that cannot/);
    assert.equal(second.stderr, '');
  });
});
