import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { expectedSum } from '../../common/checksums.js';
import { writeFileAtomic, writeFolderAtomic } from '../../common/files.js';
import { log } from '../../common/log.js';
import { hasOmega } from '../../config/residual-schemes.js';
import type { Config, ModelConfig, WrittenConfig } from '../../config/schema.js';
import { Dictionary } from '../../data/dictionary.js';
import { type CheckpointLocation, locateCheckpoint, WEIGHTS_FILE } from '../../decode/checkpoint-location.js';
import { type Ctranslate2Model, readCtranslate2, writeCtranslate2 } from '../../formats/ctranslate2.js';
import { Global, Made, orderedDict, type PickleValue } from '../../formats/pickle.js';
import { type NamedArray, writeSafetensors } from '../../formats/safetensors.js';
import { writeTorchFile } from '../../formats/torch-file.js';
import { readWeights } from '../../formats/weights-file.js';
import { ctranslate2Config, ctranslate2Model } from '../../model/ctranslate2-spec.js';
import { fairseqArgs, fairseqState } from '../../model/fairseq-checkpoint.js';
import { foldOmega } from '../../model/fold.js';
import { OFFICIAL_PROFILE_FILE } from '../../model/profile-file.js';
import { omegaName, STACKS, sitesOf } from '../../model/scheme.js';
import { checkWeights } from '../../model/transformer.js';
import { tokenizerFiles } from '../runs/directory.js';
import { checkFree } from './model-run.js';

export type ExportFormat = 'safetensors' | 'fairseq' | 'ctranslate2';

export interface ExportOptions {
  config: Config;
  written: WrittenConfig;
  format: ExportFormat;
  /** The folder to write. */
  output: string;
  checkpoint?: string;
}

/** What a format is made of. */
interface Exported {
  config: Config;
  written: WrittenConfig;
  weights: ReadonlyMap<string, NamedArray>;
  dictionaries: Record<'source' | 'target', Dictionary>;
}

/** Each writes the files of its format into a folder. */
const WRITERS: Readonly<Record<ExportFormat, (folder: string, model: Exported) => void>> = {
  safetensors: exportSafetensors,
  fairseq: exportFairseq,
  ctranslate2: exportCtranslate2,
};

/**
 * `admin-nmt export`: a checkpoint → a folder that another program reads, with its tokenizers.
 *
 * @param run a run directory, or a checkpoint in one
 * @throws UserError for what the user can mend; nothing is then written
 */
export async function exportRun(run: string, options: ExportOptions): Promise<void> {
  const { config, written, format, output } = options;
  const location = locateCheckpoint(run, options.checkpoint);
  checkFree(output);
  const model = { config, written, ...readModel(location, config) };
  log.info(`Model: ${location.checkpoint}`);
  const data = { ...config.data, destdir: location.runDirectory };
  await writeFolderAtomic(output, (folder) => {
    WRITERS[format](folder, model);
    for (const [name, file] of tokenizerFiles(data)) copy(file, folder, name);
  });
  log.info(`Written: ${output} (${format})`);
  const { nfc, whitespace } = config.data.clean;
  if (nfc || whitespace) {
    const what = [...(nfc ? ['in NFC'] : []), ...(whitespace ? ['with single spaces'] : [])].join(' and ');
    log.info(
      `The model knows text ${what} (data.clean): bring text to that before another program translates it`,
    );
  }
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

function copy(file: string, folder: string, name: string): void {
  if (existsSync(file)) writeFileAtomic(path.join(folder, name), readFileSync(file));
}

function writeDictionaries(folder: string, { config: { data }, dictionaries }: Exported): void {
  const { sourceLang, targetLang } = data;
  writeFileAtomic(path.join(folder, `dict.${sourceLang}.txt`), dictionaries.source.serialize());
  writeFileAtomic(path.join(folder, `dict.${targetLang}.txt`), dictionaries.target.serialize());
}

/** Weights by their official names, with what a program needs to know to use them; docs/pytorch-loader.py is one. */
function exportSafetensors(folder: string, model: Exported): void {
  writeSafetensors(path.join(folder, WEIGHTS_FILE), model.weights, { format: 'pt' });
  const { data, model: keys } = model.written;
  const about = {
    'source-lang': data['source-lang'],
    'target-lang': data['target-lang'],
    clean: data.clean,
    model: keys,
  };
  writeFileAtomic(path.join(folder, 'config.json'), `${JSON.stringify(about, null, 2)}\n`);
  writeDictionaries(folder, model);
}

function exportFairseq(folder: string, model: Exported): void {
  const { config, weights } = model;
  const { sourceLang, targetLang } = config.data;
  const namespace = new Made(new Global('argparse', 'Namespace'));
  namespace.state = dict(fairseqArgs(config.model, sourceLang, targetLang));
  writeTorchFile(path.join(folder, 'model.pt'), fairseqState(config.model, weights), (tensors) =>
    dict({
      args: namespace,
      model: orderedDict(tensors),
      optimizer_history: [
        dict({
          criterion_name: 'LabelSmoothedCrossEntropyCriterion',
          optimizer_name: 'FairseqRAdam',
          lr_scheduler_state: dict({ best: null }),
          num_updates: 0,
        }),
      ],
      extra_state: dict({ train_iterator: dict({ epoch: 1, iterations_in_epoch: 0 }) }),
      last_optimizer_state: null,
    }),
  );
  writeDictionaries(folder, model);
  if (hasOmega(config.model)) {
    // The official code opens it when it builds such a model, before the weights come.
    writeFileAtomic(path.join(folder, OFFICIAL_PROFILE_FILE), meanOmega(config.model, weights));
    log.info(
      `The official code looks for ${OFFICIAL_PROFILE_FILE} where it is started: start it in that folder`,
    );
  }
}

function dict(entries: Record<string, PickleValue>): PickleValue {
  return new Map(Object.entries(entries));
}

function meanOmega(config: ModelConfig, weights: ReadonlyMap<string, NamedArray>): string {
  return STACKS.flatMap((stack) =>
    sitesOf(config, stack).map((site, i) => {
      const { data } = weights.get(omegaName(site))!;
      return `${i + 1} ${data.reduce((sum, value) => sum + value, 0) / data.length}\n`;
    }),
  ).join('');
}

function exportCtranslate2(folder: string, { config, weights, dictionaries }: Exported): void {
  const plain = hasOmega(config.model) ? foldOmega(config.model, weights) : { config: config.model, weights };
  if (hasOmega(config.model)) log.info('ω is folded: CTranslate2 gets a Post-LN model of the same function');
  const model = ctranslate2Model(plain.config, plain.weights);
  const file = path.join(folder, 'model.bin');
  writeCtranslate2(file, model);
  checkSame(readCtranslate2(file), model);
  writeFileAtomic(path.join(folder, 'config.json'), ctranslate2Config(config.model));
  const { source, target } = dictionaries;
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
