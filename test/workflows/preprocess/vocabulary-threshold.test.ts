import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../../src/config/load.js';
import { readManifest } from '../../../src/data/manifest.js';
import { findParallelText } from '../../../src/data/parallel-text.js';
import { preprocessCorpus } from '../../../src/data/preprocess.js';
import { countHere, encodeHere, type PreprocessOptions } from '../../../src/data/preprocess-options.js';
import { encodeOnThreads } from '../../../src/workflows/preprocess/encoder-threads.js';
import { startPieceTrainer } from '../../../src/workflows/preprocess/piece-model.js';
import { scratchFolder, writeFiles } from '../../data/scratch.js';
import { makeText } from '../../tokenizer/sample-text.js';

const [left, right] = [61, 62].map((seed) => makeText(seed, 4000, 2).join('\n'));
const folder = writeFiles(scratchFolder(), { 'train.en': left, 'train.it': right });
const { tokenizer } = loadConfig({ sets: ['data.tokenizer.vocab-size=600'] }).config.data;

test('pieces are counted alike on any number of threads', async () => {
  const made = async (name: string, startEncoder: PreprocessOptions['startEncoder']) => {
    const destdir = path.join(folder, name);
    const train = findParallelText(path.join(folder, 'train'), 'en', 'it', 'data.train');
    await preprocessCorpus({
      ...{
        destdir,
        sourceLang: 'en',
        targetLang: 'it',
        texts: { train },
        joint: true,
        vocabularyThreshold: 9,
      },
      vocabulary: { kind: 'trained', start: (setup) => countHere(() => startPieceTrainer(tokenizer), setup) },
      filter: { minLength: 1, maxLength: 175, maxRatio: null, deduplicate: false },
      ...{
        clean: { nfc: false, whitespace: false },
        dataHash: '',
        vocabularyHash: '',
        seed: 1,
        startEncoder,
      },
    });
    const { files } = readManifest(destdir);
    return files
      .filter((file) => file !== 'manifest.json')
      .map((file) => [file, readFileSync(path.join(destdir, file))]);
  };
  const here = await made('here', encodeHere);
  for (const count of [1, 3])
    assert.deepEqual(await made(`threads-${count}`, (setup) => encodeOnThreads(setup, count)), here);
});
