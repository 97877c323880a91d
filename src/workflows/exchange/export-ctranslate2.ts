import * as path from 'node:path';
import { writeFileAtomic } from '../../common/files.js';
import type { Dictionary } from '../../data/dictionary.js';
import { type Ctranslate2Model, readCtranslate2, writeCtranslate2 } from '../../formats/ctranslate2.js';
import { ctranslate2Config, ctranslate2Model } from '../../model/ctranslate2-spec.js';
import { type Exported, withoutOmega } from './exported.js';
import { VOCABULARY_MAP_FILE, vocabularyMap } from './vocabulary-map.js';

/** Writes what CTranslate2 reads, and reads the weights again. */
export function exportCtranslate2(folder: string, model: Exported): void {
  if (model.shortlist !== undefined)
    writeFileAtomic(
      path.join(folder, VOCABULARY_MAP_FILE),
      vocabularyMap(model.shortlist, model.dictionaries),
    );
  const plain = withoutOmega(model, 'CTranslate2');
  const written = ctranslate2Model(plain.config, plain.weights);
  const file = path.join(folder, 'model.bin');
  writeCtranslate2(file, written);
  checkSame(readCtranslate2(file), written);
  writeFileAtomic(path.join(folder, 'config.json'), ctranslate2Config(plain.config));
  const { source, target } = model.dictionaries;
  const vocabularies =
    source.hash === target.hash
      ? { shared_vocabulary: source }
      : { source_vocabulary: source, target_vocabulary: target };
  for (const [name, dictionary] of Object.entries(vocabularies)) {
    writeFileAtomic(path.join(folder, `${name}.json`), `${JSON.stringify(symbolsOf(dictionary), null, 2)}\n`);
  }
}

/** CTranslate2's name of `<pad>` is `<blank>`. */
function symbolsOf(dictionary: Dictionary): string[] {
  return Array.from({ length: dictionary.size }, (_, id) => dictionary.symbolOf(id)).map((symbol) =>
    symbol === '<pad>' ? '<blank>' : symbol,
  );
}

/** What is read again has to be what was written. */
function checkSame(found: Ctranslate2Model, expected: Ctranslate2Model): void {
  const names = new Set([...found.variables.keys(), ...expected.variables.keys()]);
  for (const name of names) {
    const [a, b] = [found, expected].map(({ variables }) => variables.get(name));
    const same =
      a !== undefined &&
      b !== undefined &&
      String(a.shape) === String(b.shape) &&
      a.data.constructor === b.data.constructor &&
      a.data.every((value, i) => Object.is(value, b.data[i]));
    if (!same) throw new Error(`model.bin does not hold '${name}' as it was written`);
  }
}
