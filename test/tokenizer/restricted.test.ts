import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { BpeTrainer, type BpeTrainerOptions, Tokenizer } from '../../src/tokenizer/index.js';
import { makeFuzzLines, makeText } from './sample-text.js';
import { spmEncode, spmMissing, spmTrain, spmVocabulary } from './spm.js';

/** Tokenizers of which text is given only some pieces: the oracle is spm_encode with `--vocabulary`. */

const noPrograms = spmMissing() ?? false;
const folder = fs.mkdtempSync(path.join(tmpdir(), 'restricted-'));
after(() => fs.rmSync(folder, { recursive: true }));

function trained(options: Partial<BpeTrainerOptions>, text: readonly string[]): Tokenizer {
  const trainer = new BpeTrainer({ vocabSize: 700, ...options });
  for (const line of text) trainer.add(line);
  return trainer.train();
}

const TEXT = makeText(51, 600, 3);
const SYMBOLS = ['<2fr>', 'aet'];
const tokenizer = trained({ userDefinedSymbols: SYMBOLS }, TEXT);

test('text is given the pieces that are kept, characters and symbols of the user, and is the same text', () => {
  const words = fc.constantFrom(
    ...TEXT.flatMap((line) => line.split(' ')),
    ...SYMBOLS,
    '<2fr>x',
    '\u{1f980}',
  );
  const line = fc.array(words, { maxLength: 12 }).map((list) => list.join(' '));
  fc.assert(
    fc.property(line, fc.integer({ min: 0, max: 10 }), fc.nat(), (text, tenths, seed) => {
      const isKept = (_: string, id: number): boolean =>
        (Math.imul(id + 1, 2 * seed + 1) >>> 3) % 10 < tenths;
      const restricted = tokenizer.restricted(isKept);
      for (const pieces of [restricted.encode(text), restricted.encodeWithDropout(text, 0.3, Math.random)])
        for (const piece of pieces) {
          const id = tokenizer.pieces.findIndex((entry) => entry.piece === piece);
          const allowed = id < 0 || isKept(piece, id) || [...piece].length === 1 || SYMBOLS.includes(piece);
          assert.ok(allowed, `'${piece}' in '${text}'`);
        }
      assert.equal(restricted.encode(text).join(''), tokenizer.encode(text).join(''));
      assert.equal(restricted.decode(restricted.encode(text)), tokenizer.decode(tokenizer.encode(text)));
    }),
    { numRuns: 60 },
  );
});

test('the model is the same but for the pieces that are not kept, and stays what it was', () => {
  const bytes = Buffer.from(tokenizer.serialize());
  assert.ok(bytes.equals(tokenizer.restricted(() => true).serialize()));
  const few = tokenizer.restricted((_, id) => id % 2 === 0);
  const kinds = few.pieces.map(({ piece, type }) => [piece, type] as const);
  tokenizer.pieces.forEach(({ piece, score, type }, id) => {
    const gone = type === 'normal' && [...piece].length > 1 && id % 2 === 1;
    assert.deepEqual(kinds[id], [piece, gone ? 'unused' : type]);
    assert.equal(few.pieces[id].score, score);
  });
  assert.ok(kinds.some(([, type]) => type === 'unused'));
  assert.ok(
    Buffer.from(few.restricted((_, id) => id % 2 === 0).serialize()).equals(few.serialize()),
    'twice',
  );
  assert.ok(bytes.equals(tokenizer.serialize()));
});

/** Restricts a model in the folder by lines and a threshold, here and there, and encodes other lines. */
function compare(name: string, by: readonly string[], threshold: number, lines: readonly string[]): number {
  const file = path.join(folder, `${name}.model`);
  const vocabulary = path.join(folder, `${name}.vocab`);
  const counted = spmVocabulary(file, by);
  fs.writeFileSync(vocabulary, counted.map((line) => `${line}\n`).join(''));
  const counts = new Map(counted.map((line) => line.split('\t') as [string, string]));
  const restricted = Tokenizer.load(file).restricted((piece) => Number(counts.get(piece) ?? 0) >= threshold);
  const options = [`--vocabulary=${vocabulary}`, `--vocabulary_threshold=${threshold}`];
  const [theirs, plain] = [spmEncode(file, lines, 'piece', ...options), spmEncode(file, lines, 'piece')];
  const own = path.join(folder, 'own.model');
  fs.writeFileSync(own, restricted.serialize());
  const [ours, byOwn] = [
    lines.map((line) => restricted.encode(line).join(' ')),
    spmEncode(own, lines, 'piece'),
  ];
  const differing = (other: readonly string[]) => lines.filter((_, i) => theirs[i] !== other[i]);
  assert.deepEqual(differing(ours).slice(0, 3), [], `${name}: pieces are those of spm_encode`);
  assert.deepEqual(
    differing(byOwn).slice(0, 3),
    [],
    `${name}: so are those of spm_encode with the model itself`,
  );
  return differing(plain).length;
}

test('spm_encode with a vocabulary and a threshold gives the same', { skip: noPrograms }, (t) => {
  const lines = [...makeText(52, 1500, 3), ...TEXT.slice(300), ...makeFuzzLines(53, 700)];
  const by = TEXT.slice(0, 300);
  for (const [name, options] of [
    ['plain', {}],
    ['bytes', { byteFallback: true }],
    ['symbols', { userDefinedSymbols: SYMBOLS, controlSymbols: ['<ctl>'] }],
  ] as const) {
    fs.writeFileSync(path.join(folder, `${name}.model`), trained(options, TEXT).serialize());
    for (const threshold of [1, 4, 30]) {
      const changed = compare(name, by, threshold, lines);
      assert.ok(changed > 100, `${name} ${threshold}: ${changed} lines are others than without it`);
      t.diagnostic(`${name}, ${threshold}: ${changed} of ${lines.length} lines are others than without it`);
    }
  }
  spmTrain(folder, { 'text.txt': TEXT }, 'unigram', '--vocab_size=600', '--character_coverage=1.0');
  assert.ok(compare('unigram', by, 20, lines) > 100);
});

test('words of few letters, in which pieces overlap', { skip: noPrograms }, () => {
  const letters = ['ab', 'abc', 'abcd'];
  letters.forEach((alphabet, round) => {
    const word = (n: number): string =>
      Array.from(
        { length: 1 + (n % 8) },
        (_, i) => alphabet[(Math.imul(n + i, 0x9e3779b1) >>> 9) % alphabet.length],
      ).join('');
    const line = (n: number): string =>
      Array.from({ length: 1 + (n % 7) }, (_, i) => word(31 * n + 7 * i)).join(' ');
    const text = Array.from({ length: 2000 }, (_, n) => line(n));
    const name = `letters-${round}`;
    fs.writeFileSync(path.join(folder, `${name}.model`), trained({ vocabSize: 90 }, text).serialize());
    assert.ok(compare(name, text.slice(0, 60), 5, text) > 100);
  });
});
