import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Purpose, RandomStream } from '../../src/common/rng.js';
import { SYMMETRIES, symmetrize } from '../../src/data/symmetrize.js';

const joined = (forward: number[], backward: number[], symmetry: (typeof SYMMETRIES)[number]) =>
  symmetrize(Int32Array.from(forward), Int32Array.from(backward), symmetry)
    .map((link) => link.join('-'))
    .join(' ');

test('by hand', () => {
  // Target 0 and 1 both come from source 0; source 1 becomes target 2, which comes from none; source 2 is target 3.
  const [forward, backward] = [
    [0, 0, -1, 2],
    [0, 2, 3],
  ];
  assert.equal(joined(forward, backward, 'intersection'), '0-0 2-3');
  assert.equal(joined(forward, backward, 'union'), '0-0 0-1 1-2 2-3');
  assert.equal(joined(forward, backward, 'grow-diag-final-and'), '0-0 0-1 1-2 2-3');
});

test('what grows lies beside or across, and links a word that has none', () => {
  // Target 2 comes from source 0, whose link 0-0 it is not beside; source 0 has a link, so that the end does not take it.
  assert.equal(joined([0, -1, 0], [0], 'grow-diag-final-and'), '0-0');
  assert.equal(joined([0, -1, 0], [0], 'union'), '0-0 0-2');
  // 1-1 lies across from 0-0 and links two words that have none; 0-1 would then link none.
  assert.equal(joined([0, 0], [0, 1], 'grow-diag-final-and'), '0-0 0-1 1-1');
  // Far from all others, but both words have none: taken in the end.
  assert.equal(joined([0, -1, -1, 2], [0, -1, -1], 'grow-diag-final-and'), '0-0 2-3');
});

test('between what both have and what any has, whatever the sentences', () => {
  const random = new RandomStream({ seed: 1, step: 0, purpose: Purpose.data });
  for (let round = 0; round < 500; round++) {
    const [source, target] = [random.nextBelow(7), random.nextBelow(7)];
    const draw = (count: number, from: number) =>
      Array.from({ length: count }, () => (from === 0 ? -1 : random.nextBelow(from + 1) - 1));
    const [forward, backward] = [draw(target, source), draw(source, target)];
    const [grown, both, any] = SYMMETRIES.map((name) =>
      joined(forward, backward, name).split(' ').filter(Boolean),
    );
    for (const link of both) assert.ok(grown.includes(link));
    for (const link of grown) assert.ok(any.includes(link));
    const words = (links: string[], side: number) => new Set(links.map((link) => link.split('-')[side]));
    for (const link of any) {
      const [s, t] = link.split('-');
      assert.ok(
        words(grown, 0).has(s) || words(grown, 1).has(t),
        'no link is left whose words both have none',
      );
    }
  }
});
