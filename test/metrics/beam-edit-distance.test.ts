import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BeamEditDistance, type Rotation } from '../../src/metrics/beam-edit-distance.js';

const words = (maxLength: number) =>
  fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength }).map((list) => Int32Array.from(list));

function distance(hypothesis: Int32Array, reference: Int32Array): number {
  const matrix = new BeamEditDistance();
  matrix.start(hypothesis, reference);
  return matrix.distance();
}

function rotated(list: Int32Array, { from, to, left }: Rotation): Int32Array {
  const part = [...list.subarray(from + left, to), ...list.subarray(from, from + left)];
  return Int32Array.from([...list.subarray(0, from), ...part, ...list.subarray(to)]);
}

function levenshtein(a: Int32Array, b: Int32Array): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, word] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries()) {
      next.push(Math.min(row[j] + (word === other ? 0 : 1), row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[b.length];
}

test('within the beam it is the Levenshtein distance', () => {
  fc.assert(
    fc.property(words(20), words(20), (hypothesis, reference) => {
      assert.equal(distance(hypothesis, reference), levenshtein(hypothesis, reference));
    }),
  );
});

test('what a rotation brings is told without doing it, at any ratio of the lengths', () => {
  const rotations = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 5 });
  const pair = fc.oneof(
    fc.tuple(words(12), words(12)),
    fc.tuple(words(150), words(150)),
    fc.tuple(words(3), words(300)),
    fc.tuple(words(300), words(3)),
  );
  const matrix = new BeamEditDistance();
  fc.assert(
    fc.property(pair, rotations, ([hypothesis, reference], draws) => {
      matrix.start(hypothesis, reference);
      let current: Int32Array = hypothesis;
      for (const [a, b, c] of draws) {
        const [from, to] = [a % (current.length + 1), b % (current.length + 1)].sort((x, y) => x - y);
        const rotation = { from, to, left: c % (to - from + 1) };
        const changed = rotated(current, rotation);
        assert.equal(matrix.distanceAfter(rotation), distance(changed, reference));
        assert.equal(matrix.distance(), distance(current, reference));
        if (c % 2 === 0) {
          matrix.rotate(rotation);
          current = changed;
        }
      }
    }),
  );
});
