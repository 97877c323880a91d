import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { pack } from '../../src/data/batch.js';
import { beamSearch, type Hypothesis, type SearchOptions } from '../../src/decode/search.js';
import { hashTable, logSoftmax, type Table, TableModel } from './table-model.js';

const EOS = 2;
const OPTIONS: SearchOptions = {
  beam: 4,
  lenpen: 1,
  maxLenA: 0,
  maxLenB: 8,
  minLen: 1,
  maxPositions: 1024,
};
const SOURCES = [[5, 6, 2], [7, 2], [4, 4, 5, 9, 8, 2], [2], [11, 5, 2]];

function search(
  table: Table,
  vocabulary: number,
  options: Partial<SearchOptions>,
  sources = SOURCES,
): Promise<Hypothesis[][]> {
  return beamSearch(new TableModel(vocabulary, table), pack(sources), { ...OPTIONS, ...options });
}

/** A table for a vocabulary of which only some ids can occur. */
function only(ids: readonly number[], vocabulary: number, table: Table): Table {
  return (source, prefix) => {
    const logProbs = logSoftmax(ids.map((id) => table(source, prefix)[id]));
    return Array.from({ length: vocabulary }, (_, id) =>
      ids.includes(id) ? logProbs[ids.indexOf(id)] : -Infinity,
    );
  };
}

describe('greedy', () => {
  test('beam 1 takes the best token at each step', async () => {
    const table = hashTable(20, 6);
    const found = await search(table, 20, { beam: 1 });
    SOURCES.forEach((source, i) => {
      const prefix: number[] = [];
      let total = 0;
      while (prefix.at(-1) !== EOS) {
        const logProbs = Float32Array.from(table(source, prefix), (value, id) =>
          id <= 1 || (id === EOS && prefix.length < 1) || (id !== EOS && prefix.length >= 8)
            ? -Infinity
            : value,
        );
        const best = logProbs.indexOf(Math.max(...logProbs));
        prefix.push(best);
        total += logProbs[best];
      }
      assert.equal(found[i].length, 1);
      assert.deepEqual(found[i][0].tokens, prefix);
      assert.equal(found[i][0].total, total);
      assert.equal(found[i][0].score, total / prefix.length);
    });
  });
});

describe('exhaustive', () => {
  /** Every translation of up to `longest` tokens, best score first. */
  function enumerate(table: Table, source: readonly number[], letters: readonly number[], longest: number) {
    const all: { tokens: number[]; total: number; score: number }[] = [];
    const visit = (prefix: number[], total: number): void => {
      const logProbs = Float32Array.from(table(source, prefix));
      if (prefix.length >= 1) {
        const sum = total + logProbs[EOS];
        all.push({ tokens: [...prefix, EOS], total: sum, score: sum / (prefix.length + 1) ** 0.7 });
      }
      if (prefix.length < longest)
        for (const letter of letters) visit([...prefix, letter], total + logProbs[letter]);
    };
    visit([], 0);
    return all.sort((a, b) => b.score - a.score);
  }

  test('a beam as wide as there are translations finds all of them, in order', async () => {
    const table = only([EOS, 4, 5, 6], 130, hashTable(8, 4));
    const found = await search(table, 130, { beam: 128, maxLenB: 4, lenpen: 0.7 });
    SOURCES.forEach((source, i) => {
      const all = enumerate(table, source, [4, 5, 6], 4);
      assert.equal(all.length, 3 + 9 + 27 + 81);
      assert.deepEqual(
        found[i].map(({ tokens, total, score }) => ({ tokens, total, score })),
        all,
      );
    });
  });
});

test('what the official implementation finds', async () => {
  const file = path.join(packageRoot(), 'test/decode/fixtures/fairseq-search.json');
  const { sources, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
    sources: number[][];
    cases: {
      vocabulary: number;
      sharpness: number;
      options: SearchOptions;
      results: { tokens: number[]; score: number }[][];
    }[];
  };
  for (const { vocabulary, sharpness, options, results } of cases) {
    const found = await search(hashTable(vocabulary, sharpness), vocabulary, options, sources);
    results.forEach((expected, i) => {
      assert.deepEqual(
        found[i].map(({ tokens }) => tokens),
        expected.map(({ tokens }) => tokens),
        `${JSON.stringify(options)}, source ${sources[i]}`,
      );
      expected.forEach(({ score }, j) => {
        assert.ok(Math.abs(found[i][j].score - score) < 1e-5);
      });
    });
  }
});

test('several </s> among the 2·beam best: those of the first half finish, as many others as ever live on', async () => {
  const [a, b, c, d] = [4, 5, 6, 7];
  /** What may follow each prefix; the rest is spread over ids that no beam takes. */
  const probabilities: Record<string, Record<number, number>> = {
    '': { [a]: 0.5, [b]: 0.3, [c]: 0.15, [d]: 0.01 },
    [`${a}`]: { [EOS]: 0.4, [a]: 0.22, [b]: 0.2, [c]: 0.18 },
    [`${b}`]: { [EOS]: 0.6, [a]: 0.2, [b]: 0.15, [c]: 0.05 },
    [`${c}`]: { [EOS]: 0.65, [a]: 0.2, [b]: 0.1, [c]: 0.05 },
    [`${a},${a}`]: { [EOS]: 0.5, [a]: 0.3 },
    [`${a},${b}`]: { [EOS]: 0.8, [a]: 0.1 },
    [`${a},${c}`]: { [EOS]: 0.95, [a]: 0.04 },
  };
  const table: Table = (_, prefix) =>
    Array.from({ length: 20 }, (_, id) => Math.log(probabilities[String(prefix)]?.[id] ?? 1e-9));
  const model = new TableModel(20, table);
  const [found] = await beamSearch(model, pack([[4, 2]]), { ...OPTIONS, beam: 3, lenpen: 0 });
  // 0.2 a </s>, 0.18 b </s>, 0.11 aa | 0.1 ab, 0.0975 c </s>, 0.09 ac: c </s> is too late, ac is the third that lives on.
  // 0.0855 ac </s>, 0.08 ab </s>, …: one place is left, the better takes it.
  assert.deepEqual(
    found.map(({ tokens }) => tokens),
    [
      [a, EOS],
      [b, EOS],
      [a, c, EOS],
    ],
  );
  assert.deepEqual(model.rowsPerStep, [1, 3, 3]);
});

describe('length', () => {
  /** p(a) = 0.6 and p(</s>) = 0.4 at every step, in a vocabulary where nothing else can be. */
  const coin: Table = () => [-Infinity, -Infinity, Math.log(0.4), -Infinity, Math.log(0.6), -Infinity];
  const best = async (options: Partial<SearchOptions>): Promise<Hypothesis[]> =>
    (await search(coin, 6, options, [[4, 2]]))[0];

  test('the score is the sum over the length to the power of lenpen, </s> counted', async () => {
    // With beam 3 three hypotheses finish: a </s>, a a </s> and a a a </s>.
    for (const lenpen of [0, 0.6, 1, 2]) {
      const byLength = (await best({ beam: 3, lenpen })).sort((a, b) => a.tokens.length - b.tokens.length);
      assert.deepEqual(
        byLength.map(({ tokens }) => tokens),
        [
          [4, 2],
          [4, 4, 2],
          [4, 4, 4, 2],
        ],
      );
      byLength.forEach(({ total, score }, i) => {
        const n = i + 2;
        const sum = Math.log(0.6) * (n - 1) + Math.log(0.4);
        assert.ok(Math.abs(total - sum) < 1e-6);
        assert.ok(Math.abs(score - sum / n ** lenpen) < 1e-6);
      });
    }
  });

  test('lenpen 0 puts the shortest first here, lenpen 1 the longest', async () => {
    assert.equal((await best({ beam: 3, lenpen: 0 }))[0].tokens.length, 2);
    assert.equal((await best({ beam: 3, lenpen: 1 }))[0].tokens.length, 4);
  });

  test('min-len', async () => {
    for (const minLen of [0, 1, 3]) {
      const shortest = Math.min(...(await best({ beam: 2, minLen })).map(({ tokens }) => tokens.length - 1));
      assert.equal(shortest, minLen);
    }
  });

  test('max-len is ⌊a · source length + b⌋ of each sentence by itself, and below the positions of the model', async () => {
    const endless: Table = () => logSoftmax([-90, -90, -99, -90, 0, -90]);
    const lengths = async (options: Partial<SearchOptions>) =>
      (await search(endless, 6, { beam: 2, ...options })).map(([{ tokens }]) => tokens.length - 1);
    assert.deepEqual(await lengths({ maxLenA: 1.5, maxLenB: 2 }), [6, 5, 11, 3, 6]);
    assert.deepEqual(await lengths({ maxLenA: 0, maxLenB: 0 }), [0, 0, 0, 0, 0]);
    assert.deepEqual(await lengths({ maxLenA: 1.5, maxLenB: 2, maxPositions: 7 }), [6, 5, 6, 3, 6]);
  });

  test('max-len wins over min-len', async () => {
    assert.deepEqual((await best({ beam: 2, minLen: 9, maxLenB: 3 }))[0].tokens, [4, 4, 4, 2]);
  });

  test('a forced </s> has its own log-probability, wherever it ranks', async () => {
    const table = hashTable(30, 8);
    const found = await search(table, 30, { maxLenB: 2 });
    SOURCES.forEach((source, i) => {
      const forced = found[i].filter(({ tokens }) => tokens.length === 3);
      assert.ok(forced.length > 0);
      for (const { tokens, logProbs } of forced)
        assert.equal(logProbs[2], Math.fround(table(source, tokens.slice(0, 2))[EOS]));
    });
  });
});

describe('bookkeeping', () => {
  const table = hashTable(24, 5);

  test('a sentence is translated as if it were alone', async () => {
    const together = await search(table, 24, { maxLenA: 1.2 });
    for (const [i, source] of SOURCES.entries()) {
      assert.deepEqual((await search(table, 24, { maxLenA: 1.2 }, [source]))[0], together[i]);
    }
  });

  test('finished sentences leave the batch, and the state is disposed of', async () => {
    const model = new TableModel(24, table);
    await beamSearch(model, pack(SOURCES), { ...OPTIONS, maxLenA: 2, maxLenB: 1 });
    assert.equal(model.open, 0);
    assert.equal(model.rowsPerStep[0], SOURCES.length);
    assert.equal(model.rowsPerStep[1], SOURCES.length * OPTIONS.beam);
    assert.ok(model.rowsPerStep.at(-1)! < model.rowsPerStep[1]);
  });

  test('a sentence is done as soon as it has as many translations as the beam is wide', async () => {
    const short: Table = () => logSoftmax([-90, -90, 5, -90, 0, 0, 0]);
    for (const beam of [1, 3]) {
      const model = new TableModel(7, short);
      await beamSearch(model, pack([[4, 2]]), { ...OPTIONS, beam });
      assert.deepEqual(model.rowsPerStep, [1, beam], 'one step to a word, one to </s>');
    }
  });

  test('the state is disposed of when the model fails', async () => {
    const model = new TableModel(24, () => {
      throw new Error('broken');
    });
    await assert.rejects(() => beamSearch(model, pack(SOURCES), OPTIONS), /broken/);
    assert.equal(model.open, 0);
  });

  test('probabilities that are not numbers are refused', async () => {
    await assert.rejects(() => search(() => new Float32Array(24).fill(NaN), 24, {}), /no finite probability/);
  });

  test('equal scores go to the better hypothesis, then to the lower id', async () => {
    const even: Table = () => logSoftmax([-90, -90, 0, -90, 0, 0, 0]);
    const [found] = await search(even, 7, { beam: 3, lenpen: 0, maxLenB: 2 }, [[4, 2]]);
    assert.deepEqual(
      found.map(({ tokens }) => tokens),
      [
        [4, 2],
        [4, 4, 2],
        [4, 5, 2],
      ],
    );
  });

  test('no pad, tokens and log-probabilities in step, their sum the total', async () => {
    for (const hypotheses of await search(table, 24, {})) {
      assert.ok(hypotheses.length >= 1 && hypotheses.length <= 4);
      for (const { tokens, logProbs, total } of hypotheses) {
        assert.ok(!tokens.includes(1));
        assert.equal(tokens.indexOf(EOS), tokens.length - 1);
        assert.equal(logProbs.length, tokens.length);
        assert.equal(
          logProbs.reduce((sum, value) => sum + value, 0),
          total,
        );
      }
    }
  });

  test('a beam wider than the vocabulary, and no sentence at all', async () => {
    for (const hypotheses of await search(hashTable(6, 3), 6, { beam: 50 }))
      assert.equal(hypotheses.length, 5);
    assert.deepEqual(await search(table, 24, {}, []), []);
  });
});
