import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePharaoh } from '../../src/data/pharaoh.js';
import { refusal } from './scratch.js';

test('reads what is written, with any blanks between', () => {
  const link = fc.tuple(fc.nat(29), fc.nat(19));
  const blank = fc.constantFrom(' ', '  ', '\t', ' \t ');
  fc.assert(
    fc.property(fc.array(link), blank, (links, between) => {
      const line = links.map((pair) => pair.join('-')).join(between);
      assert.deepEqual(parsePharaoh(line, [30, 20], 'f:1'), links);
      assert.deepEqual(parsePharaoh(`${between}${line}${between}`, [30, 20], 'f:1'), links);
    }),
    { seed: 3, numRuns: 100 },
  );
});

test('names the token that is no link', () => {
  for (const token of ['0', '0-', '-1', '0-0-0', '1p2', '0:1', 'a-b', '0-1.5', '99999999999-0', '０-０']) {
    const pattern = new RegExp(`f\\.align:7: .*found '${token.replace('.', '\\.')}' as token 2`);
    assert.throws(() => parsePharaoh(`0-0 ${token} 1-1`, [3, 3], 'f.align:7'), refusal(pattern));
  }
});

test('names the link of a word that is not there, by its side', () => {
  const source = /the link '2-0', token 1, has word 2 of the source, which has 2 \(they count from 0\)/;
  assert.throws(() => parsePharaoh('2-0', [2, 3], 'f:1'), refusal(source));
  const target = /the link '1-3', token 3, has word 3 of the target, which has 3/;
  assert.throws(() => parsePharaoh('0-0 1-2 1-3', [2, 3], 'f:1'), refusal(target));
  assert.throws(() => parsePharaoh('0-0', [0, 0], 'f:1'), refusal(/which has 0/));
});

test('anything else is refused, never misread', () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      try {
        for (const [s, t] of parsePharaoh(line, [4, 4], 'f:1')) assert.ok(s < 4 && t < 4);
      } catch (error) {
        refusal(/f:1/)(error);
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});
