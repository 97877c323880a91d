import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LineRequest } from '../../src/decode/line-request.js';
import { MinimumRisk } from '../../src/decode/minimum-risk.js';
import { searchWith } from '../../src/decode/sentence-queue.js';
import { Terminology } from '../../src/decode/terminology.js';
import { TextCodec, whiteSpaceSegmenter } from '../../src/decode/text-codec.js';
import { type TranslateOptions, translateLines } from '../../src/decode/translate-lines.js';
import {
  formatTranslation,
  type Translation,
  type TranslationFormat,
} from '../../src/decode/translation-format.js';
import { hashTable, logSoftmax, TableModel } from './table-model.js';

const WORDS = ['<s>', '<pad>', '</s>', '<unk>', ...'abcdefghijklmnop'];
const dictionary = {
  size: WORDS.length,
  indexOf: (symbol: string) => Math.max(WORDS.indexOf(symbol), WORDS.includes(symbol) ? 0 : 3),
  symbolOf: (id: number) => WORDS[id],
};
const side = { segmenter: whiteSpaceSegmenter, dictionary };
const UNCLEANED = { nfc: false, whitespace: false };
const codec = new TextCodec(side, side, UNCLEANED);

/** Copies its source, surely. */
const copying = new TableModel(WORDS.length, (source, prefix) =>
  logSoftmax(WORDS.map((_, id) => (id === source[prefix.length] ? 0 : -60 + id))),
);

const OPTIONS: TranslateOptions = {
  beam: 3,
  nbest: 1,
  lenpen: 1,
  maxLenA: 1,
  maxLenB: 5,
  minLen: 1,
  maxPositions: 40,
  maxTokens: 60,
  batchSize: 4,
  bufferSize: 7,
};

async function translate(
  lines: readonly (string | LineRequest)[],
  model = copying,
  options: Partial<TranslateOptions> = {},
  by = codec,
): Promise<Translation[]> {
  async function* source(): AsyncGenerator<string | LineRequest> {
    yield* lines;
  }
  const found: Translation[] = [];
  for await (const entry of translateLines(source(), searchWith(model), by, { ...OPTIONS, ...options }))
    found.push(entry);
  return found;
}

/** Lines of many lengths, every fifth blank in one way or another. */
const LINES = Array.from({ length: 53 }, (_, i) =>
  i % 5 === 3
    ? ' \t '.repeat(i % 2)
    : Array.from({ length: 1 + ((i * 7) % 19) }, (_, j) => WORDS[4 + ((i * j + i) % 16)]).join(' '),
);

describe('one translation for each line', () => {
  test('in order, blank lines blank', async () => {
    const found = await translate(LINES);
    assert.deepEqual(
      found.map(({ index, source }) => [index, source]),
      LINES.map((line, i) => [i, line]),
    );
    assert.deepEqual(
      found.map(({ hypotheses }) => hypotheses[0].text),
      LINES.map((line) => line.trim()),
    );
  });

  test('whatever the batches and what is read ahead', async () => {
    const model = new TableModel(WORDS.length, hashTable(WORDS.length, 5));
    const expected = await translate(LINES, model, { nbest: 3 });
    assert.equal(Math.max(...expected.map(({ hypotheses }) => hypotheses.length)), 3);
    for (const options of [
      { batchSize: 1 },
      { batchSize: 64, maxTokens: 10_000 },
      { bufferSize: 1 },
      { bufferSize: 1000 },
    ]) {
      assert.deepEqual(await translate(LINES, model, { nbest: 3, ...options }), expected);
    }
    assert.equal(model.open, 0);
  });

  test('white space of any kind alone stays blank, in every format', async () => {
    const blank = ['', ' ', '\t', '\x85', '\u00a0', '\u3000', '\u2028', '\u200b', '\ufeff', ' \u3000\x85 '];
    // A segmenter that, unlike the one of white space, takes all that it sees for text.
    const letters = {
      segmenter: { encode: (text: string) => [...text], decode: side.segmenter.decode },
      dictionary,
    };
    const found = await translate(blank, copying, { nbest: 3 }, new TextCodec(letters, letters, UNCLEANED));
    const formats = {
      text: '\n',
      nbest: '9 |||  ||| F0=0 ||| 0\n',
      fairseq: 'S-9\t\nH-9\t0.0\t\nD-9\t0.0\t\nP-9\t\n',
    };
    found.forEach((translation, index) => {
      for (const [format, expected] of Object.entries(formats)) {
        assert.equal(
          formatTranslation({ ...translation, index: 9 }, format as TranslationFormat),
          expected,
          JSON.stringify(blank[index]),
        );
      }
      assert.deepEqual(JSON.parse(formatTranslation(translation, 'jsonl')), {
        line: index + 1,
        source: blank[index],
        hypotheses: [{ text: '', score: 0, tokens: [], tokenLogProbs: [] }],
      });
    });
  });

  test('no line at all', async () => {
    assert.deepEqual(await translate([]), []);
  });

  test('unknown words become <unk>', async () => {
    const [{ sourceTokens, hypotheses }] = await translate(['a zebra b']);
    assert.deepEqual(sourceTokens, ['a', '<unk>', 'b']);
    assert.equal(hypotheses[0].text, 'a <unk> b');
  });

  test('nothing that is read breaks the line', async () => {
    const breaking = new TextCodec(
      side,
      {
        segmenter: { encode: whiteSpaceSegmenter.encode, decode: (pieces) => pieces.join('\r\n') },
        dictionary,
      },
      UNCLEANED,
    );
    assert.equal(breaking.decode([4, 5, 6, 2]), 'a b c');
  });
});

describe('a line with more tokens than positions', () => {
  test('is cut and told of', async () => {
    const told: [number, number][] = [];
    const long = Array.from({ length: 500 }, (_, i) => WORDS[4 + (i % 16)]);
    const found = await translate(['a', long.join(' '), 'b'], copying, {
      onCut: (index, length) => told.push([index, length]),
    });
    assert.deepEqual(told, [[1, 501]]);
    assert.deepEqual(
      found.map(({ hypotheses }) => hypotheses[0].text),
      ['a', long.slice(0, 39).join(' '), 'b'],
    );
  });
});

describe('a line with as many tokens as positions', () => {
  test('is translated whole, and nothing is told', async () => {
    const told: number[] = [];
    const whole = Array.from({ length: 39 }, (_, i) => WORDS[4 + (i % 16)]).join(' ');
    const [{ hypotheses }] = await translate([whole], copying, { onCut: (index) => told.push(index) });
    assert.deepEqual([told, hypotheses[0].text], [[], whole]);
  });
});

describe('events', () => {
  test('every line is counted', async () => {
    let done = 0;
    await translate(LINES, copying, {
      onDone: (lines) => {
        done += lines;
      },
    });
    assert.equal(done, LINES.length);
  });
});

describe('what is wished of lines', () => {
  const model = new TableModel(WORDS.length, hashTable(WORDS.length, 5));
  const requests: LineRequest[] = [
    { source: 'a b' },
    { source: 'a b', prefix: 'c d' },
    { source: 'b c', constraints: ['e f'], forbidden: ['a'] },
    { source: '', prefix: 'c' },
    { source: 'a b', minLen: 4, maxLen: 4 },
  ];
  const asked = async (
    options: Partial<TranslateOptions> = {},
    given: readonly (string | LineRequest)[] = requests,
  ) => (await translate(given, model, options)).map(({ hypotheses }) => hypotheses);

  test('holds for each by itself, and changes nothing of others', async () => {
    const found = await asked();
    assert.deepEqual(found[0], (await translate(['a b'], model))[0].hypotheses);
    assert.match(found[1][0].text, /^c d/);
    assert.match(found[2][0].text, /\be f\b/);
    assert.doesNotMatch(found[2][0].text, /a/);
    assert.deepEqual(found[2][0].missing, []);
    assert.equal(found[3][0].text, '');
    assert.equal(found[4][0].tokens.length, 5);
    for (const batchSize of [1, 3]) assert.deepEqual(await asked({ batchSize, bufferSize: 2 }), found);
  });

  test('phrases behind a tab, and those of a terminology', async () => {
    const terms = new Terminology(new Map([['a', 'g h']]));
    const [[first], [second]] = await asked({ constraints: 'unordered', terms }, ['b c\te\tf e', 'a b']);
    assert.match(first.text, /\bf e\b/);
    assert.match(second.text, /\bg h\b/);
  });

  test('samples: nbest of them, whatever the beam, the same in any batch', async () => {
    const options = { sampling: true, beam: 1, nbest: 3, seed: 4 };
    const found = await asked(options, LINES);
    assert.ok(found.every((list, i) => list.length === (LINES[i].trim() === '' ? 1 : 3)));
    for (const batchSize of [1, 9])
      assert.deepEqual(await asked({ ...options, batchSize, bufferSize: 5 }, LINES), found);
  });

  test('all of a beam, or as many samples, are ranked by what they have in common before nbest are kept', async () => {
    for (const sampling of [false, true]) {
      const options = { sampling, seed: 4, beam: 5 };
      const risk = new MinimumRisk('chrf', 'en');
      const all = await asked({ ...options, nbest: 5 }, LINES);
      const found = await asked({ ...options, nbest: 2, risk }, LINES);
      assert.deepEqual(
        found,
        all.map((list) => risk.ranked(list).slice(0, 2)),
      );
      assert.ok(found.some(([best], i) => best.text !== all[i][0].text));
    }
  });

  test('what other rules keep out is told', async () => {
    const told: unknown[] = [];
    const onMissing = (...all: unknown[]): void => void told.push(all);
    await asked({ onMissing, noRepeatNgramSize: 1 }, [{ source: 'b', constraints: ['e e', 'f'] }]);
    assert.deepEqual(told, [[0, ['e e']]]);
  });
});

describe('a signal', () => {
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield 'a b c';
  }
  async function* silent(): AsyncGenerator<string> {
    await new Promise(() => {});
  }

  test('ends it with its reason, after what is under way or while it waits', async () => {
    for (const lines of [endless, silent]) {
      const controller = new AbortController();
      const { signal } = controller;
      let waits = 0;
      const onWait = (): void => {
        waits++;
        controller.abort(new Error('enough'));
      };
      const translations = translateLines(lines(), searchWith(copying), codec, {
        ...OPTIONS,
        signal,
        onWait,
      });
      const all = async (): Promise<void> => {
        for await (const { index } of translations) if (index === 20) controller.abort(new Error('enough'));
      };
      await assert.rejects(all(), /enough/);
      assert.equal(waits, lines === silent ? 1 : 0);
      await assert.rejects(
        translateLines(lines(), searchWith(copying), codec, { ...OPTIONS, signal }).next(),
        /enough/,
      );
    }
  });
});

test('a request may have a tag of its own', async () => {
  const tagged = new TextCodec(side, side, UNCLEANED, 'p');
  const found = await translate(['a b', { source: 'a b', tag: 'o' }, '  '], copying, {}, tagged);
  assert.deepEqual(
    found.map(({ source, hypotheses }) => [source, hypotheses[0].text]),
    [
      ['a b', 'p a b'],
      ['a b', 'o a b'],
      ['  ', ''],
    ],
  );
  await assert.rejects(translate([{ source: 'a', tag: 'z' }]), /line 1: .*found 'z'/);
});
