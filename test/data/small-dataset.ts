import * as path from 'node:path';
import { camelizeKeys } from '../../src/config/camel.js';
import { configSchema, type DataConfig } from '../../src/config/schema.js';
import { findParallelText } from '../../src/data/parallel-text.js';
import { preprocessCorpus } from '../../src/data/preprocess.js';
import { countHere, type VocabularySource } from '../../src/data/preprocess-options.js';
import { startPieceTrainer } from '../../src/workflows/preprocess/piece-model.js';
import { scratchFolder, writeFiles } from './scratch.js';

/** A text: lines of both languages, or of each. */
type Lines = readonly string[] | { readonly source: readonly string[]; readonly target: readonly string[] };

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** A tokenizer made of the training text. */
export function trainedVocabulary(options: Partial<DataConfig['tokenizer']>): VocabularySource {
  const { tokenizer } = camelizeKeys(configSchema.parse({})).data;
  const start = () => startPieceTrainer({ ...tokenizer, ...options });
  return { kind: 'trained', start: (setup) => countHere(start, setup) };
}

/** Makes a dataset of training and validation text in a new folder. @returns what a config says of it */
export async function makeDataset(
  train: Lines,
  valid: Lines,
  {
    vocabulary,
    clean,
    validTag = null,
  }: { vocabulary: VocabularySource; clean?: DataConfig['clean']; validTag?: string | null },
): Promise<DataConfig> {
  const root = scratchFolder();
  for (const [name, lines] of Object.entries({ train, valid })) {
    const { source, target } = 'source' in lines ? lines : { source: lines, target: lines };
    writeFiles(root, { [`${name}.aa`]: text(source), [`${name}.bb`]: text(target) });
  }
  const { data } = camelizeKeys(configSchema.parse({}));
  const named = { sourceLang: 'aa', targetLang: 'bb', clean: clean ?? data.clean };
  const destdir = path.join(root, 'data-bin');
  const find = (split: string) => findParallelText(path.join(root, split), 'aa', 'bb', `data.${split}`);
  await preprocessCorpus({
    ...{ ...named, destdir, vocabulary, joint: true, filter: data.filter },
    texts: { train: find('train'), valid: find('valid'), validTag },
    ...{ dataHash: '', vocabularyHash: '', seed: 1 },
  });
  return { ...data, ...named, root, destdir, train: 'train', valid: 'valid', validTag };
}
