import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pack } from '../../../src/data/batch.js';
import { beamSearch, type Hypothesis, type SearchOptions } from '../../../src/decode/search.js';
import type { Wishes } from '../../../src/decode/search-options.js';
import { searchWith } from '../../../src/decode/sentence-queue.js';
import { hashTable, logSoftmax, type Table, TableModel } from '../table-model.js';

const EOS = 2;
const LETTERS = [4, 5, 6];
const SOURCES = [[5, 6, 2], [7, 2], [4, 4, 5, 9, 8, 2], [2], [11, 5, 2]];
const OPTIONS: SearchOptions = { beam: 4, lenpen: 1, maxLenA: 0, maxLenB: 4, minLen: 1, maxPositions: 64 };

/** Only three letters can come, in a vocabulary with room for a wide beam. */
const TABLE: Table = (source, prefix) => {
  const ids = [EOS, ...LETTERS];
  const logProbs = logSoftmax(ids.map((id) => hashTable(8, 4)(source, prefix)[id]));
  return Array.from({ length: 280 }, (_, id) => (ids.includes(id) ? logProbs[ids.indexOf(id)] : -Infinity));
};
const small: Table = (source, prefix) => Float32Array.from(TABLE(source, prefix)).subarray(0, 8);

interface Found {
  tokens: number[];
  score: number;
}

/** Every translation of at most 4 letters, the best score first. */
function enumerate(source: readonly number[], allowed: (letters: readonly number[]) => boolean): Found[] {
  const all: Found[] = [];
  const visit = (letters: readonly number[], total: number): void => {
    const logProbs = small(source, letters);
    if (letters.length > 0 && allowed(letters))
      all.push({ tokens: [...letters, EOS], score: (total + logProbs[EOS]) / (letters.length + 1) });
    if (letters.length < 4) for (const id of LETTERS) visit([...letters, id], total + logProbs[id]);
  };
  visit([], 0);
  return sorted(all);
}

/** Best first; equal ones by their tokens, since a beam knows no order between them. */
const sorted = (all: Found[]): Found[] =>
  all.sort((a, b) => b.score - a.score || String(a.tokens).localeCompare(String(b.tokens)));

const has = (tokens: readonly number[], phrase: readonly number[]): boolean =>
  `,${tokens},`.includes(`,${phrase},`);

const searched = (
  options: Partial<SearchOptions>,
  wishes?: Omit<Wishes, 'line'>,
  table: Table = small,
  vocabulary = 8,
): Promise<Hypothesis[][]> =>
  beamSearch(
    new TableModel(vocabulary, table),
    pack(SOURCES),
    { ...OPTIONS, ...options },
    wishes && SOURCES.map((_, line) => ({ line, ...wishes })),
  );

describe('a beam as wide as there are translations finds those that keep the rules, in order', () => {
  const cases: [
    string,
    Partial<SearchOptions>,
    Omit<Wishes, 'line'>,
    (letters: readonly number[]) => boolean,
  ][] = [
    ['none', {}, {}, () => true],
    ['a prefix', {}, { prefix: [6, 4] }, (letters) => letters[0] === 6 && letters[1] === 4],
    [
      'no bigram twice',
      { noRepeatNgramSize: 2 },
      {},
      (letters) =>
        letters.every((a, i) =>
          letters.every(
            (b, j) => j <= i || a !== b || letters[i + 1] !== letters[j + 1] || j + 1 === letters.length,
          ),
        ),
    ],
    [
      'forbidden phrases',
      {},
      {
        forbidden: [
          [4, 5],
          [6, 6, 6],
        ],
      },
      (letters) => !has(letters, [4, 5]) && !has(letters, [6, 6, 6]),
    ],
    ['a forbidden token', {}, { forbidden: [[5]] }, (letters) => !letters.includes(5)],
    [
      'phrases in any order',
      {},
      {
        required: [
          [5, 4],
          [6, 6],
        ],
      },
      (letters) => has(letters, [5, 4]) && has(letters, [6, 6]),
    ],
    [
      'phrases in order',
      { constraints: 'ordered' },
      { required: [[6, 6], [5]] },
      (letters) => /6,6,(.*,)?5/.test(String(letters)),
    ],
    [
      'lengths of its own',
      {},
      { minLen: 2, maxLen: 3 },
      (letters) => letters.length >= 2 && letters.length <= 3,
    ],
    [
      'all of it together',
      {},
      { prefix: [4], required: [[5, 6]], forbidden: [[4, 4]], maxLen: 4 },
      (letters) => letters[0] === 4 && has(letters, [5, 6]) && !has(letters, [4, 4]) && letters.length <= 4,
    ],
  ];
  for (const [name, options, wishes, allowed] of cases)
    test(name, async () => {
      const found = await searched({ beam: 130, ...options }, wishes, TABLE, 280);
      SOURCES.forEach((source, i) => {
        const expected = enumerate(source, allowed);
        assert.ok(expected.length > 0);
        assert.deepEqual(sorted(found[i].map(({ tokens, score }) => ({ tokens, score }))), expected);
      });
    });
});

describe('phrases that must be there', () => {
  test('are there in all translations of any beam, if only just in time', async () => {
    for (const beam of [1, 2, 4])
      for (const required of [
        [
          [5, 4],
          [6, 6],
        ],
        [[4, 4, 4, 4]],
        [[6], [4], [6, 5]],
      ]) {
        const found = await searched({ beam }, { required });
        for (const { tokens } of found.flat())
          for (const phrase of required) assert.ok(has(tokens, phrase), `${tokens} lacks ${phrase}`);
      }
  });

  test('may lie over each other', async () => {
    for (const { tokens } of (
      await searched(
        {},
        {
          required: [
            [5, 4],
            [4, 6],
            [6, 6],
          ],
          maxLen: 6,
        },
      )
    ).flat())
      for (const phrase of [
        [5, 4],
        [4, 6],
        [6, 6],
      ])
        assert.ok(has(tokens, phrase));
  });

  test('change nothing where the best translation has them anyway', async () => {
    for (const [i, [{ tokens, total }]] of (await searched({ beam: 130 }, {}, TABLE, 280)).entries()) {
      const wishes = SOURCES.map((_, line) => ({ line, required: [tokens.slice(0, -1)] }));
      const again = await beamSearch(new TableModel(8, small), pack(SOURCES), OPTIONS, wishes);
      assert.deepEqual(again[i][0].tokens.slice(0, tokens.length - 1), tokens.slice(0, -1));
      if (again[i][0].tokens.length === tokens.length) assert.equal(again[i][0].total, total);
    }
  });

  test('as much of them as other rules allow', async () => {
    const found = await searched({}, { required: [[5, 4], [6]], forbidden: [[5]] });
    for (const { tokens } of found.flat())
      assert.ok(!tokens.includes(5) && tokens.includes(6), String(tokens));
  });
});

test('where nothing is left a line is named', async () => {
  await assert.rejects(() => searched({}, { forbidden: [[4], [5], [6]] }), /translation of line 1/);
  const broken: Table = () => new Float32Array(8).fill(NaN);
  await assert.rejects(() => searched({}, {}, broken), /no finite probability/);
});

test('with wishes that ask for nothing it is the plain beam, to the last bit', async () => {
  const table = hashTable(20, 5);
  for (const beam of [1, 3, 8])
    assert.deepEqual(await searched({ beam }, {}, table, 20), await searched({ beam }, undefined, table, 20));
});

test('<unk> is forbidden with rules and without', async () => {
  const table: Table = (source, prefix) =>
    Array.from(hashTable(20, 5)(source, prefix), (value, id) => (id === 3 ? 0 : value));
  assert.ok((await searched({}, undefined, table, 20)).flat().some(({ tokens }) => tokens.includes(3)));
  const [plain, ruled] = [undefined, {}].map((wishes) => searched({ unk: 'forbid' }, wishes, table, 20));
  assert.ok(!(await plain).flat().some(({ tokens }) => tokens.includes(3)));
  assert.deepEqual(await plain, await ruled);
});

test('<s> and <pad> come in no translation, however it is chosen', async () => {
  const table: Table = (source, prefix) =>
    Array.from(hashTable(20, 5)(source, prefix), (value, id) => (id <= 1 ? 0 : value));
  const ways: [Partial<SearchOptions>, Omit<Wishes, 'line'>?][] = [
    [{}],
    [{}, {}],
    [{}, { prefix: [5] }],
    [{}, { required: [[5, 4]] }],
    [{ beam: 6, diverseBeamGroups: 3 }],
    [{ sampling: true, beam: 20 }],
    [{ sampling: true, beam: 20, samplingTopk: 5 }],
    [{ sampling: true, beam: 20, samplingTopp: 0.9 }],
    [{ noRepeatNgramSize: 2, repetitionPenalty: 2 }],
  ];
  for (const [options, wishes] of ways) {
    const found = (await searched(options, wishes, table, 20)).flat();
    assert.ok(found.length > 0);
    for (const { tokens } of found)
      assert.ok(Math.min(...tokens) >= 2, `${JSON.stringify([options, wishes])}: ${tokens}`);
  }
});

describe('diverse groups', () => {
  const table = hashTable(20, 5);
  const groups = { beam: 6, diverseBeamGroups: 3 };

  /** Groups of beams by the book, on prefixes: no links, no rows. */
  function byTheBook(source: readonly number[], strength: number): Found[] {
    const width = 2;
    const all = [0, 1, 2].map(() => ({
      live: [{ tokens: [] as number[], total: 0, own: 0 }],
      finished: [] as Found[],
    }));
    for (let length = 0; all.some(({ live }) => live.length > 0); length++) {
      const taken = new Map<number, number>();
      for (const group of all) {
        const candidates = group.live
          .flatMap(({ tokens, total, own }) =>
            [...Float32Array.from(table(source, tokens))].flatMap((p, id) => {
              const may = id > 1 && (id === EOS ? length >= 1 : length < 4);
              const compared = Math.fround(p - strength * (taken.get(id) ?? 0));
              return may ? [{ tokens: [...tokens, id], total: total + compared, own: own + p }] : [];
            }),
          )
          .sort((a, b) => b.total - a.total)
          .slice(0, 2 * width);
        const ended = candidates.slice(0, width).filter(({ tokens }) => tokens.at(-1) === EOS);
        const new_ = ended.slice(0, width - group.finished.length);
        group.finished.push(...new_.map(({ tokens, own }) => ({ tokens, score: own / tokens.length })));
        const going = candidates.filter(({ tokens }) => tokens.at(-1) !== EOS).slice(0, width);
        group.live = group.finished.length < width ? going : [];
        for (const { tokens } of [...new_, ...group.live])
          taken.set(tokens.at(-1)!, (taken.get(tokens.at(-1)!) ?? 0) + 1);
      }
    }
    return all.flatMap(({ finished }) => finished).sort((a, b) => b.score - a.score);
  }

  test('are beams that shun what earlier groups chose', async () => {
    for (const strength of [0.3, 1.7]) {
      const found = await searched({ ...groups, diverseBeamStrength: strength }, undefined, table, 20);
      SOURCES.forEach((source, i) => {
        const expected = byTheBook(source, strength);
        assert.deepEqual(
          found[i].map(({ tokens }) => tokens),
          expected.map(({ tokens }) => tokens),
        );
        expected.forEach(({ score }, rank) => {
          assert.ok(Math.abs(found[i][rank].score - score) < 1e-5, 'scores are those of the model');
        });
      });
    }
  });

  test('of strength 0 are the same beam each; a great one keeps them apart', async () => {
    const narrow = await searched({ beam: 2 }, undefined, table, 20);
    const same = await searched({ ...groups, diverseBeamStrength: 0 }, undefined, table, 20);
    const thrice = (list: Hypothesis[]) => list.flatMap((entry) => [entry, entry, entry]);
    assert.deepEqual(
      same.map((list) => list.map(String)),
      narrow.map((list) => thrice(list).map(String)),
    );
    const apart = await searched({ ...groups, diverseBeamStrength: 100 }, undefined, table, 20);
    for (const list of apart) assert.ok(new Set(list.map(({ tokens }) => tokens[0])).size >= 3);
  });
});

describe('samples', () => {
  const table = hashTable(12, 2);
  const sampling = { sampling: true, beam: 1, seed: 5 };

  test('whole translations come as often as the model gives them', async () => {
    const source = [5, 2];
    const lines = 4000;
    const coin: Table = (_, prefix) => Float32Array.from(hashTable(12, 1)([], prefix.slice(0, 2)));
    const found: number[][] = [];
    await searchWith(new TableModel(12, coin))(
      Array.from({ length: lines }, () => Int32Array.from(source)),
      { ...OPTIONS, ...sampling, maxLenB: 1, minLen: 0, maxTokens: 99_999, batchSize: 9999 },
      (place, [{ tokens }]) => {
        found[place] = tokens;
      },
      Array.from({ length: lines }, (_, line) => ({ line })),
    );
    const first = Array.from(coin(source, []), Math.exp);
    const rest = 1 - first[0] - first[1]; // <s> and <pad> never come
    const chi = first.reduce((sum, p, id) => {
      const seen = found.filter(([token]) => token === id).length;
      if (id <= 1) assert.equal(seen, 0);
      return id <= 1 ? sum : sum + (seen - (lines * p) / rest) ** 2 / ((lines * p) / rest);
    }, 0);
    assert.ok(chi < 27.9, `χ² of 9 degrees of freedom: ${chi}`);
  });

  test('are the same for a line, the seed and the sample, and others else', async () => {
    const once = async (options: Partial<SearchOptions>, lines = SOURCES.map((_, i) => i)) =>
      beamSearch(
        new TableModel(12, table),
        pack(SOURCES),
        { ...OPTIONS, ...sampling, ...options },
        lines.map((line) => ({ line })),
      );
    const one = await once({});
    assert.deepEqual(await once({}), one);
    assert.notDeepEqual(await once({ seed: 6 }), one);
    assert.notDeepEqual(await once({}, [9, 8, 7, 6, 5]), one);
    const many = await once({ beam: 50 });
    many.forEach((list, i) => {
      assert.equal(list.length, 50);
      assert.ok(
        list.some(({ tokens }) => String(tokens) === String(one[i][0].tokens)),
        'more samples, the first stays',
      );
      assert.ok(new Set(list.map(({ tokens }) => String(tokens))).size > 10, 'they are independent');
    });
  });

  test('have the log-probabilities of the model, whatever the temperature', async () => {
    for (const [i, list] of (
      await searched({ ...sampling, temperature: 3, samplingTopk: 4 }, {}, table, 12)
    ).entries())
      for (const { tokens, logProbs } of list)
        tokens.forEach((token, at) => {
          assert.equal(logProbs[at], Float32Array.from(table(SOURCES[i], tokens.slice(0, at)))[token]);
        });
  });
});

test('whatever the batch, a line becomes the same', async () => {
  const sources = Array.from({ length: 12 }, (_, i) =>
    Int32Array.from([...SOURCES[i % 5].slice(0, -1), 4 + (i % 3), 2]),
  );
  const wishes: Wishes[] = sources.map((_, line) => ({
    line,
    prefix: line % 2 === 0 ? [4] : undefined,
    required: line % 3 === 0 ? [[5, 6]] : undefined,
    forbidden: line % 4 === 0 ? [[6, 6]] : undefined,
  }));
  const kinds: Partial<SearchOptions>[] = [
    { noRepeatNgramSize: 2, repetitionPenalty: 1.3 },
    { beam: 6, diverseBeamGroups: 3, diverseBeamStrength: 0.7 },
    { beam: 3, sampling: true, samplingTopp: 0.9, seed: 3 },
  ];
  for (const kind of kinds) {
    const found = async (maxTokens: number, batchSize: number): Promise<Hypothesis[][]> => {
      const all: Hypothesis[][] = [];
      const given = kind.beam === undefined ? wishes : wishes.map(({ line, prefix }) => ({ line, prefix }));
      const options = { ...OPTIONS, ...kind, maxTokens, batchSize };
      const tell = (place: number, list: Hypothesis[]): void => {
        all[place] = list;
      };
      await searchWith(new TableModel(20, hashTable(20, 4)))(sources, options, tell, given);
      return all;
    };
    const alone = await found(1, 1);
    for (const [maxTokens, batchSize] of [
      [999, 999],
      [12, 4],
      [30, 2],
    ])
      assert.deepEqual(await found(maxTokens, batchSize), alone);
  }
});
