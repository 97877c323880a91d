// What each process of wire.test.ts does, on hosts with a slow wire between them: one sum after another, for as long as it is told.
import assert from 'node:assert/strict';
import process from 'node:process';
import { runToExit } from '../../src/cli/exit.js';
import { joinRanks, leaveRanks, ranks, setRanksTimeout } from '../../src/cli/ranks.js';
import { median } from '../../src/common/statistics.js';

await runToExit(async () => {
  await joinRanks(['train'], () => true);
  setRanksTimeout(2, 'train.distributed-timeout');
  const { rank, size } = ranks();
  const seconds: number[] = [];
  for (const end = performance.now() + 1000 * Number(process.argv[2]); ; ) {
    const array = new Float32Array(100_000).fill(rank + 1);
    const started = performance.now();
    ranks().beginSum([array]).wait();
    seconds.push((performance.now() - started) / 1000);
    assert.ok(array.every((value) => value === (size * (size + 1)) / 2));
    if (ranks().broadcast(rank === 0 ? performance.now() > end : undefined)) break;
  }
  if (rank === 0) process.stdout.write(`a sum takes ${median(seconds)} s\n`);
}, leaveRanks);
