// What each process of faults.test.ts does: something befalls rank 1, or all, while rank 0 waits for it.
import process from 'node:process';
import { runToExit } from '../../src/cli/exit.js';
import { joinRanks, leaveRanks, ranks, setRanksTimeout } from '../../src/cli/ranks.js';
import { InterruptedError, UserError } from '../../src/common/errors.js';

const kill = (): boolean => process.kill(process.pid, 'SIGKILL');

const FAULTS: Record<string, () => void> = {
  killed: kill,
  'killed-beside-listeners': kill,
  crashed: () => process.abort(),
  thrown: () => {
    throw new TypeError('x is undefined');
  },
  mistaken: () => {
    throw new UserError({ problem: 'no such file', where: 'data.txt' });
  },
  silent: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000),
};

await runToExit(async () => {
  await joinRanks(['train'], () => true);
  const [, , fault] = process.argv;
  setRanksTimeout(fault === 'silent' || fault === 'unending' ? 1 : 60, 'train.distributed-timeout');
  if (fault === 'killed-beside-listeners') process.on('SIGTERM', () => {}); // as training does, which saves
  ranks().barrier();
  if (fault === 'all-mistaken') FAULTS.mistaken();
  if (fault === 'all-interrupted') throw new InterruptedError('SIGTERM', 'saved');
  if (ranks().rank === 1) FAULTS[fault]?.();
  ranks()
    .beginSum([new Float32Array(1000)])
    .wait();
  if (ranks().rank === 0) process.stdout.write('done\n');
}, leaveRanks);
