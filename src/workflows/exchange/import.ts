import * as path from 'node:path';
import { UserError } from '../../common/errors.js';
import { sha256File } from '../../common/files.js';
import { log } from '../../common/log.js';
import { camelizeKeys } from '../../config/camel.js';
import type { ModelConfig } from '../../config/schema.js';
import { Dictionary } from '../../data/dictionary.js';
import { sumsOf } from '../../data/manifest.js';
import { checkFinite } from '../../formats/finite.js';
import { Made, type PickleValue } from '../../formats/pickle.js';
import type { NamedArray } from '../../formats/safetensors.js';
import { openTorchFile, type TorchFile } from '../../formats/torch-file.js';
import { modelFromArgs } from '../../model/fairseq-checkpoint.js';
import { ownNames, weightNames } from '../../model/fairseq-names.js';
import { checkWeights } from '../../model/transformer.js';
import { fairseqSettings } from './fairseq-config.js';
import { configOf } from './imported-config.js';
import { checkFree, writeModelRun } from './model-run.js';

export interface ImportOptions {
  /** The run directory to write. */
  output: string;
  /** Folder with the dictionaries, and with tokenizers where there are any. */
  dataBin: string;
  /** Languages, where the checkpoint does not say them. */
  sourceLang?: string;
  targetLang?: string;
}

/**
 * `admin-nmt import`: a checkpoint of fairseq, or of a code made of it such as the official one and deepnmt → a run
 * directory to translate with.
 *
 * @throws UserError for what the user can mend; nothing is then written
 */
export async function importCheckpoint(file: string, options: ImportOptions): Promise<void> {
  checkFree(options.output);
  const torch = openTorchFile(file);
  try {
    const checkpoint = entriesOf(torch.value, file, 'the checkpoint');
    const args = fairseqSettings(checkpoint);
    if (args === null)
      throw notACheckpoint(file, "its 'args' is no argparse.Namespace, and its 'cfg' has no section 'model'");
    const model = modelFromArgs(args);
    const languages = {
      sourceLang: options.sourceLang ?? languageOf(args, 'source_lang', file),
      targetLang: options.targetLang ?? languageOf(args, 'target_lang', file),
    };
    // Before anything of these sizes is made: the config bounds them.
    const written = configOf(model, languages, options.dataBin, options.output);
    const config = camelizeKeys(written);
    const sums = sumsOf(options.dataBin);
    const [source, target] = [languages.sourceLang, languages.targetLang].map((language) => {
      const name = `dict.${language}.txt`;
      return Dictionary.load(path.join(options.dataBin, name), sums[name]).size;
    });
    const state = entriesOf(checkpoint.get('model'), file, "its 'model'");
    const weights = ownNames(config.model, readWeights(torch, state, model, file));
    checkWeights(config.model, { source, target }, weights, file);
    const origin = { checkpoint: path.resolve(file), sha256: sha256File(file) };
    await writeModelRun(options.output, { command: 'import', written, data: config.data, weights, origin });
    const { encoder, decoder, embedDim, residual } = config.model;
    log.info(`Model: ${encoder.layers} + ${decoder.layers} layers of width ${embedDim}, ${residual}`);
    log.info(`To translate: admin-nmt translate ${options.output} --input FILE`);
  } finally {
    torch.close();
  }
}

function readWeights(
  torch: TorchFile,
  state: ReadonlyMap<string, PickleValue>,
  model: Partial<ModelConfig>,
  file: string,
): Map<string, NamedArray> {
  const names = weightNames({ shareEmbeddings: model.shareEmbeddings! }, state.keys());
  if (names.length === 0) throw notACheckpoint(file, "its 'model' is empty");
  return new Map(
    names.map((name) => {
      const tensor = torch.readTensor(state.get(name)!, name);
      checkFinite(tensor.data, name, file);
      return [name, tensor];
    }),
  );
}

/** What a dict, or an OrderedDict, holds under names. */
function entriesOf(value: PickleValue | undefined, file: string, what: string): Map<string, PickleValue> {
  const entries = value instanceof Made ? value.items : value;
  if (!(entries instanceof Map)) throw notACheckpoint(file, `${what} is no dict`);
  return new Map(
    [...entries].filter((entry): entry is [string, PickleValue] => typeof entry[0] === 'string'),
  );
}

function languageOf(args: ReadonlyMap<string, PickleValue>, name: string, file: string): string {
  const language = args.get(name);
  if (typeof language === 'string') return language;
  throw new UserError({
    problem: `expected ${name} in the args of the checkpoint, found none`,
    where: file,
    hint: 'Say the languages: --source-lang de --target-lang en',
  });
}

function notACheckpoint(where: string, problem: string): UserError {
  return new UserError({
    problem: `expected a checkpoint of fairseq: ${problem}`,
    where,
    hint: 'Give a file that fairseq, or a code made of it (the official one, deepnmt), has saved.',
  });
}
