import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/common/errors.js';
import { Purpose, RandomStream } from '../../src/common/rng.js';
import { nmtNfkcCharsMap } from '../../src/tokenizer/charsmap.js';
import { BpeTrainer, type BpeTrainerOptions, Tokenizer } from '../../src/tokenizer/index.js';
import { Normalizer } from '../../src/tokenizer/normalizer.js';
import { startCpuTime } from '../cpu-time.js';
import { fixtures, keptCases } from './recorded.js';
import { makeFuzzLines, makeText } from './sample-text.js';

const text = makeText(11, 800);

function train(options: Partial<BpeTrainerOptions> = {}): Tokenizer {
  const trainer = new BpeTrainer({ vocabSize: 900, ...options });
  for (const line of text) trainer.add(line);
  return trainer.train();
}

const tokenizer = train();
const withBytes = train({ vocabSize: 1100, byteFallback: true });

function random(site: number): () => number {
  const stream = new RandomStream({ seed: 5, step: 1, purpose: Purpose.test, site });
  return () => stream.nextUniform();
}

const normalizer = new Normalizer({
  charsmap: nmtNfkcCharsMap(),
  addDummyPrefix: true,
  removeExtraWhitespaces: true,
  escapeWhitespaces: true,
});

/** What a line is once it is normalised, spaces as they are read. */
function normalize(line: string): string {
  return normalizer.normalize(line).replaceAll('\u2581', ' ').replace(/^ /, '');
}

test('text comes back normalised; with byte fallback, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (line) => {
      // A second space symbol at the start is taken for a space, as in SentencePiece.
      fc.pre(!line.includes('\u2581'));
      assert.equal(withBytes.decode(withBytes.encode(line)), normalize(line));
      assert.equal(tokenizer.decode(tokenizer.encode(line)), normalize(line));
      assert.equal(withBytes.decodeIds(withBytes.encodeIds(line)), normalize(line));
    }),
    { numRuns: 2000, seed: 1 },
  );
});

test('pieces and ids are two views of the same', () => {
  for (const line of [...makeText(12, 50), ...makeFuzzLines(13, 200)]) {
    const pieces = withBytes.encode(line);
    const ids = withBytes.encodeIds(line);
    assert.deepEqual(
      pieces,
      ids.map((id) => withBytes.pieces[id].piece),
      line,
    );
  }
  assert.deepEqual(tokenizer.encode(''), []);
  assert.deepEqual(tokenizer.encodeIds('   '), []);
});

test('words that were seen before are segmented as the first time', () => {
  const lines = makeFuzzLines(14, 500);
  const fresh = Tokenizer.parse(tokenizer.serialize());
  const first = lines.map((line) => fresh.encodeIds(line));
  assert.deepEqual(
    lines.map((line) => fresh.encodeIds(line)),
    first,
  );
  fresh.encodeIds(lines[0]).push(1);
  fresh.encode(lines[1]).push('x');
  assert.deepEqual(
    lines.map((line) => fresh.encodeIds(line)),
    first,
    'what is given out is the caller’s',
  );
});

test('a lone surrogate is U+FFFD', () => {
  for (const line of ['a\ud800', '\udc00b', 'x \ud83d y']) {
    assert.deepEqual(tokenizer.encode(line), tokenizer.encode(line.replace(/[\ud800-\udfff]/, '\ufffd')));
  }
});

test('a run of unknown characters is one piece', () => {
  assert.deepEqual(tokenizer.encode('\u{1f300}\u{1f301}'), ['\u2581', '\u{1f300}\u{1f301}']);
  assert.deepEqual(tokenizer.encodeIds('\u{1f300}\u{1f301}').at(-1), 0);
  assert.deepEqual(withBytes.encode('é').slice(1), ['<0xC3>', '<0xA9>']);
});

test('unknown ids and control ids are decoded as SentencePiece does', () => {
  assert.equal(tokenizer.decodeIds([1, 0, 2]), ' \u2047 ');
  assert.equal(tokenizer.decode(['\u2581a', 'nothing-of-ours', '</s>']), 'anothing-of-ours');
  assert.equal(withBytes.decode(['<0xE2>', '<0x82>', '<0xC3>', '<0xA9>']), '\ufffd\ufffdé');
  assert.throws(() => tokenizer.decodeIds([900]), RangeError);
  assert.throws(() => tokenizer.decodeIds([-1]), RangeError);
});

test('BPE-dropout: 0 is encode, 1 is characters, the text stays', () => {
  for (const line of makeText(15, 60)) {
    assert.deepEqual(tokenizer.encodeWithDropout(line, 0, random(0)), tokenizer.encode(line));
    assert.deepEqual(tokenizer.encodeIdsWithDropout(line, 0, random(0)), tokenizer.encodeIds(line));
    const characters = tokenizer.encodeWithDropout(line, 1, random(0));
    assert.ok(characters.every((piece) => [...piece].length === 1 || tokenizer.encode(line).includes(piece)));
    for (const dropout of [0.1, 0.5, 1]) {
      const pieces = tokenizer.encodeWithDropout(line, dropout, random(1));
      assert.deepEqual(tokenizer.encodeWithDropout(line, dropout, random(1)), pieces, 'same stream');
      assert.equal(tokenizer.decode(pieces), tokenizer.decode(tokenizer.encode(line)));
    }
  }
  const lengths = [0, 0.1, 0.5, 1].map((dropout) => {
    const draw = random(2);
    return text.reduce((sum, line) => sum + tokenizer.encodeWithDropout(line, dropout, draw).length, 0);
  });
  assert.deepEqual(
    [...lengths].sort((a, b) => a - b),
    lengths,
  );
  assert.ok(lengths[1] > 1.05 * lengths[0]);
  const unigram = Tokenizer.load(path.join(fixtures, 'unigram.model'));
  assert.throws(() => unigram.encodeWithDropout('a', 0.1, random(0)), UserError);
});

test('a quarter of a megabyte without a space takes no quadratic time', () => {
  const models = [tokenizer, withBytes, Tokenizer.load(path.join(fixtures, 'unigram.model'))];
  const letters = text.slice(0, 100).join('').replaceAll(' ', '');
  const words = ['a', '\u{1f300}', letters].map((part) => part.repeat(Math.ceil(2 ** 18 / part.length)));
  const milliseconds = startCpuTime();
  for (const model of models) for (const word of words) assert.ok(model.encodeIds(word).length > 0);
  assert.ok(milliseconds() < 10_000);
});

/** Runs over damaged bytes: what is no model must be refused as such, what still is one must work. */
function probe(bytes: Uint8Array): void {
  try {
    const damaged = Tokenizer.parse(bytes, 'damaged.model');
    for (const line of ['ab  an \u{1f300}', text[0]]) damaged.decode(damaged.encode(line));
    assert.deepEqual(Buffer.from(damaged.serialize()), Buffer.from(bytes));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    assert.match(
      error.message,
      /^damaged\.model: expected a SentencePiece model: .+\n {2}The file is damaged/,
    );
  }
}

test('a cut model is refused', () => {
  const bytes = tokenizer.serialize();
  for (let length = 0; length < bytes.length; length += length < 12_000 ? 13 : 4099) {
    assert.throws(() => Tokenizer.parse(bytes.subarray(0, length)), UserError, `${length} bytes`);
  }
  const small = fs.readFileSync(path.join(fixtures, 'symbols.model'));
  for (let length = 0; length < small.length; length++) {
    assert.throws(() => Tokenizer.parse(small.subarray(0, length)), UserError, `${length} bytes`);
  }
});

test('a damaged model is refused or works, and never ends the program', () => {
  const stream = new RandomStream({ seed: 3, step: 0, purpose: Purpose.test });
  const models = Object.keys(keptCases).map((name) => fs.readFileSync(path.join(fixtures, `${name}.model`)));
  for (let run = 0; run < 4000; run++) {
    const bytes = Uint8Array.from(models[run % models.length]);
    for (let flips = stream.nextBelow(6); flips >= 0; flips--) {
      bytes[stream.nextBelow(bytes.length)] = stream.nextBelow(256);
    }
    probe(bytes);
  }
  // The rules of normalisation are at the end.
  const large = Uint8Array.from(tokenizer.serialize());
  for (let run = 0; run < 60; run++) {
    const bytes = Uint8Array.from(large);
    for (let flips = 0; flips < 2000; flips++) {
      bytes[bytes.length - 12 - stream.nextBelow(237_000)] = stream.nextBelow(256);
    }
    probe(bytes);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), probe), { numRuns: 2000, seed: 1 });
});

test('what is no model is refused by name', () => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'tokenizer-'));
  after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'a.model');
  const refusal = (pattern: RegExp) => (error: unknown) =>
    error instanceof UserError && error.message.startsWith(file) && pattern.test(error.message);
  assert.throws(() => Tokenizer.load(file), refusal(/no such file/));
  fs.writeFileSync(file, 'Guten Tag\n');
  assert.throws(() => Tokenizer.load(file), refusal(/expected a SentencePiece model/));
  fs.writeFileSync(file, '');
  assert.throws(() => Tokenizer.load(file), refusal(/expected a SentencePiece model/));
});
