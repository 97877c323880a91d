// What each process of mpi.test.ts does: sums of arrays whose sums depend on their order, texts, and a word in the end.
import assert from 'node:assert/strict';
import process from 'node:process';
import { findLaunch } from '../../src/distributed/launcher.js';
import { openMpi } from '../../src/distributed/mpi.js';

/** Values over several orders of magnitude, of one rank and array. */
function valuesOf(rank: number, array: number, length: number): Float32Array {
  let state = rank * 7919 + array * 104_729 + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state / 2 ** 31 - 0.5) * 2 ** ((state >> 8) % 9);
  });
}

const add = (a: readonly Float32Array[], b: readonly Float32Array[]): Float32Array[] =>
  a.map((values, i) => values.map((value, j) => value + b[i][j]));

/** The sum as the contract has it: those beyond a power of two first, then as a binary tree. */
function sumOf(all: readonly Float32Array[][]): readonly Float32Array[] {
  const power = 2 ** Math.floor(Math.log2(all.length));
  let level = all.slice(0, power).map((own, i) => (power + i < all.length ? add(own, all[power + i]) : own));
  while (level.length > 1) level = level.flatMap((own, i) => (i % 2 === 1 ? [] : [add(own, level[i + 1])]));
  return level[0];
}

const ranks = openMpi(findLaunch(process.env)!);
const { rank, size } = ranks;

/** Few, many, none; more than a piece of the wire, over several arrays. */
for (const lengths of [[1], [1, 0, 3], [1000], [1025, 0, 7, 300_001], [600_001]]) {
  const all = Array.from({ length: size }, (_, r) => lengths.map((length, i) => valuesOf(r, i, length)));
  const expected = sumOf(all);
  const precise = Float64Array.of(2 ** 40 + rank);
  const pending = [ranks.beginSum([...all[rank], precise]), ranks.beginSum([Float32Array.of(rank)])];
  for (const sum of pending) sum.wait();
  for (const [i, values] of all[rank].entries())
    assert.ok(Buffer.from(values.buffer).equals(Buffer.from(expected[i].buffer)));
  assert.equal(precise[0], size * 2 ** 40 + (size * (size - 1)) / 2);
}
assert.deepEqual(
  ranks.exchange({ rank, text: 'ä'.repeat(100_000 * rank) }),
  Array.from({ length: size }, (_, r) => ({ rank: r, text: 'ä'.repeat(100_000 * r) })),
);
assert.equal(ranks.broadcast(rank === 0 ? 'from 0' : undefined), 'from 0');
assert.equal(ranks.hosts.length, size);
ranks.barrier();
assert.ok(ranks.traffic.bytes > 0 && ranks.traffic.sums === 10);
process.stdout.write(`rank ${rank} of ${size} is done\n`);
ranks.close(0);
process.exit();
