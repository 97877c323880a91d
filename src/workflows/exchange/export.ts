import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { writeFileAtomic, writeFolderAtomic } from '../../common/files.js';
import { log } from '../../common/log.js';
import { hasOmega } from '../../config/residual-schemes.js';
import type { Config, ModelConfig, WrittenConfig } from '../../config/schema.js';
import { locateCheckpoint, WEIGHTS_FILE } from '../../decode/checkpoint-location.js';
import { readShortlist } from '../../decode/shortlist-file.js';
import { Global, Made, orderedDict, type PickleValue } from '../../formats/pickle.js';
import { type NamedArray, writeSafetensors } from '../../formats/safetensors.js';
import { writeTorchFile } from '../../formats/torch-file.js';
import { fairseqArgs, fairseqState } from '../../model/fairseq-checkpoint.js';
import { OFFICIAL_PROFILE_FILE } from '../../model/profile-file.js';
import { omegaName, STACKS, sitesOf } from '../../model/scheme.js';
import { tokenizerFiles } from '../runs/directory.js';
import { exportCtranslate2 } from './export-ctranslate2.js';
import { exportOnnx } from './export-onnx.js';
import { exportTransformers } from './export-transformers.js';
import { type Exported, readModel, writeDictionaries } from './exported.js';
import { checkFree } from './model-run.js';

export type ExportFormat = 'safetensors' | 'fairseq' | 'ctranslate2' | 'onnx' | 'transformers';

export interface ExportOptions {
  config: Config;
  written: WrittenConfig;
  format: ExportFormat;
  /** The folder to write. */
  output: string;
  checkpoint?: string;
  /** A file of a shortlist, for CTranslate2 alone. */
  shortlist?: string;
}

/** Each writes the files of its format into a folder. */
const WRITERS: Readonly<Record<ExportFormat, (folder: string, model: Exported) => void>> = {
  safetensors: exportSafetensors,
  fairseq: exportFairseq,
  ctranslate2: exportCtranslate2,
  onnx: exportOnnx,
  transformers: exportTransformers,
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
  const tokenizers = tokenizerFiles({ ...config.data, destdir: location.runDirectory });
  const found = readModel(location, config);
  const shortlist =
    options.shortlist === undefined ? undefined : readShortlist(options.shortlist, found.dictionaries);
  const model = { config, written, tokenizers, shortlist, ...found };
  log.info(`Model: ${location.checkpoint}`);
  await writeFolderAtomic(output, (folder) => {
    WRITERS[format](folder, model);
    // There they have names of their own.
    if (format !== 'transformers') for (const [name, file] of tokenizers) copy(file, folder, name);
  });
  log.info(`Written: ${output} (${format})`);
  if (config.model.rightToLeft)
    log.warn(
      'The model writes from right to left (model.right-to-left): other programs give its translations from the last token to the first',
    );
  const { nfc, whitespace } = config.data.clean;
  if (nfc || whitespace) {
    const what = [...(nfc ? ['in NFC'] : []), ...(whitespace ? ['with single spaces'] : [])].join(' and ');
    log.info(
      `The model knows text ${what} (data.clean): bring text to that before another program translates it`,
    );
  }
}

function copy(file: string, folder: string, name: string): void {
  if (existsSync(file)) writeFileAtomic(path.join(folder, name), readFileSync(file));
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
