import * as path from 'node:path';
import { expectedSum } from '../../common/checksums.js';
import { writeFileAtomic } from '../../common/files.js';
import { log } from '../../common/log.js';
import { hasOmega } from '../../config/residual-schemes.js';
import type { Config, ModelConfig, WrittenConfig } from '../../config/schema.js';
import { Dictionary } from '../../data/dictionary.js';
import { type CheckpointLocation, WEIGHTS_FILE } from '../../decode/checkpoint-location.js';
import type { Shortlist } from '../../decode/shortlist.js';
import type { NamedArray } from '../../formats/safetensors.js';
import { readWeights } from '../../formats/weights-file.js';
import { foldOmega } from '../../model/fold.js';
import { checkWeights, type WeightValues } from '../../model/transformer.js';

/** What a format is made of. */
export interface Exported {
  config: Config;
  written: WrittenConfig;
  weights: ReadonlyMap<string, NamedArray>;
  dictionaries: Record<'source' | 'target', Dictionary>;
  /** Files by the names they have in a run directory. */
  tokenizers: ReadonlyMap<string, string>;
  /** For CTranslate2. */
  shortlist?: Shortlist;
}

/** Dictionaries and weights of a checkpoint. @throws UserError where they are damaged or not those of the config */
export function readModel(
  { runDirectory, checkpoint }: CheckpointLocation,
  { model, data }: Config,
): Pick<Exported, 'weights' | 'dictionaries'> {
  const [source, target] = [data.sourceLang, data.targetLang].map((language) => {
    const name = `dict.${language}.txt`;
    return Dictionary.load(path.join(runDirectory, name), expectedSum(runDirectory, name));
  });
  const file = path.join(checkpoint, WEIGHTS_FILE);
  const tensors = readWeights(checkpoint, WEIGHTS_FILE);
  checkWeights(model, { source: source.size, target: target.size }, tensors, file);
  return { weights: tensors, dictionaries: { source, target } };
}

/**
 * The model without ω, where it has any.
 *
 * @param program which gets it, in what is logged
 */
export function withoutOmega(
  { config, weights }: Exported,
  program: string,
): { config: ModelConfig; weights: ReadonlyMap<string, WeightValues> } {
  if (!hasOmega(config.model)) return { config: config.model, weights };
  log.info(`ω is folded: ${program} gets a Post-LN model of the same function`);
  return foldOmega(config.model, weights);
}

export function writeDictionaries(folder: string, { config: { data }, dictionaries }: Exported): void {
  const { sourceLang, targetLang } = data;
  writeFileAtomic(path.join(folder, `dict.${sourceLang}.txt`), dictionaries.source.serialize());
  writeFileAtomic(path.join(folder, `dict.${targetLang}.txt`), dictionaries.target.serialize());
}
