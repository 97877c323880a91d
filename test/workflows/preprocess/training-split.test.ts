import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { camelizeKeys } from '../../../src/config/camel.js';
import { configSchema } from '../../../src/config/schema.js';
import { lengthsOfEpoch } from '../../../src/data/corpus-mix.js';
import { preprocessCorpus } from '../../../src/data/preprocess.js';
import { openTrainingSplit } from '../../../src/workflows/preprocess/training-split.js';
import { scratchFolder, writeFiles } from '../../data/scratch.js';
import { trainedVocabulary } from '../../data/small-dataset.js';

test('an epoch has of each corpus what weights and temperature say', async () => {
  const folder = writeFiles(scratchFolder(), { a: 'ab ba\tba ab\n'.repeat(40), b: 'ab\tba\n'.repeat(10) });
  const { data } = camelizeKeys(configSchema.parse({}));
  const filter = { ...data.filter };
  const destdir = path.join(folder, 'data-bin');
  await preprocessCorpus({
    texts: {
      train: ['a', 'b'].map((name) => ({
        ...{ name, tag: null, filter },
        texts: [{ kind: 'tsv', file: path.join(folder, name) }],
      })),
    },
    vocabulary: trainedVocabulary({ vocabSize: 8 }),
    ...{ destdir, sourceLang: 'aa', targetLang: 'bb', joint: true, filter, clean: data.clean },
    ...{ dataHash: '', vocabularyHash: '', seed: 1 },
  });
  const sizes = (corpusTemperature: number, weight: number): number[] => {
    const given = { ...data, destdir, sourceLang: 'aa', targetLang: 'bb', corpusTemperature };
    const split = openTrainingSplit({ ...given, train: ['a', { path: 'b', weight }] });
    const { sourceLengths } = lengthsOfEpoch(split, { seed: 1, epoch: 1 });
    split.close();
    const shortest = Math.min(...sourceLengths);
    const short = sourceLengths.filter((length) => length === shortest).length;
    return [sourceLengths.length - short, short];
  };
  assert.deepEqual(sizes(1, 1), [40, 10]);
  assert.deepEqual(sizes(1, 2), [40, 20]);
  assert.deepEqual(sizes(2, 1), [33, 17]);
  assert.deepEqual(sizes(1000, 2), [30, 30]);
});
