import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LengthTable } from '../../src/data/length-table.js';

test('cells are counted in the order of an epoch, and found, with a table or without', () => {
  const pair = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(
      fc.array(pair),
      fc.boolean(),
      fc.constantFrom('source', 'target'),
      (pairs, isTable, first) => {
        const lengths = {
          sourceLengths: Int32Array.from(pairs, ([source]) => source),
          targetLengths: Int32Array.from(pairs, ([, target]) => target),
        };
        const table = new LengthTable(lengths, first, isTable ? undefined : 0);
        const found = Array.from(table.counts, (count, cell) =>
          Array(count).fill([table.source[cell], table.target[cell]]),
        ).flat();
        assert.deepEqual(
          found,
          pairs.toSorted(([a, b], [c, d]) => (first === 'target' ? b - d || a - c : a - c || b - d)),
        );
        for (const [source, target] of pairs) {
          const cell = table.cellOf(source, target);
          assert.deepEqual([table.source[cell], table.target[cell]], [source, target]);
        }
        const short = pairs.flat().filter((length) => length <= 6);
        assert.equal(table.longest(6, 2), Math.max(2, ...short));
      },
    ),
  );
});
