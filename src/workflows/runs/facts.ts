import { describeBatchSize } from '../../common/batch-by.js';
import { userErrorOf } from '../../common/errors.js';
import { configKeys } from '../../config/keys.js';
import { writerOf } from '../../config/load.js';
import { valueAt } from '../../config/paths.js';
import { runConfigFile } from '../../config/run-folder.js';
import type { Config, WrittenConfig } from '../../config/schema.js';
import { readManifest } from '../../data/manifest.js';
import type { Facts } from '../../report/page-header.js';
import { formatDate } from './page-origin.js';

/** A piece of a fact, and the keys of the config that it tells. */
type Piece = readonly [text: string, ...keys: string[]];

/**
 * What was trained, or is about to be, on what, and how: what one has to know to understand the figures of a page.
 *
 * @param varied keys that are not the same in all models of the page: what they say is left out
 */
export function configFacts(
  { model, train, data, seed }: Config,
  { varied = new Set(), parameters }: { varied?: ReadonlySet<string>; parameters?: number } = {},
): Facts {
  const { encoder, decoder } = model;
  const batches = train.updateFreq === 1 ? '' : ` × ${train.updateFreq} batches`;
  const told = (...pieces: readonly Piece[]): string =>
    pieces.flatMap(([text, ...keys]) => (keys.some((key) => varied.has(key)) ? [] : [text])).join(', ');
  const facts: Facts = [
    [
      'Model',
      told(
        [model.residual, 'model.residual'],
        [`${encoder.layers} + ${decoder.layers} layers`, 'model.encoder.layers', 'model.decoder.layers'],
        [`width ${model.embedDim}`, 'model.embed-dim'],
        [`feed-forward ${model.ffnEmbedDim}`, 'model.ffn-embed-dim'],
        [`${model.attentionHeads} heads`, 'model.attention-heads'],
        [`dropout ${model.dropout}`, 'model.dropout'],
        ...(parameters === undefined ? [] : [[`${parameters.toLocaleString('en')} parameters`] as const]),
      ),
    ],
    [
      'Training',
      told(
        [train.optimizer, 'train.optimizer'],
        ...(train.precision === 'float32' ? [] : [[train.precision, 'train.precision'] as const]),
        [`lr ${train.lr}`, 'train.lr'],
        [train.lrScheduler, 'train.lr-scheduler'],
        [`warmup of ${train.warmupUpdates} updates`, 'train.warmup-updates'],
        [
          `batches of ${describeBatchSize(train.maxTokens, train.batchBy)}${batches}`,
          'train.max-tokens',
          'train.batch-by',
          'train.update-freq',
        ],
        [`label smoothing ${train.labelSmoothing}`, 'train.label-smoothing'],
        [`seed ${seed}`, 'seed'],
      ),
    ],
    ['Data', `${data.sourceLang} → ${data.targetLang}, ${data.destdir}${sizesOf(data.destdir)}`],
  ];
  return facts.filter(([, value]) => value !== '');
}

/** The same of a run directory, with who wrote it and when. @param changed when it was last written to */
export function runFacts(folder: string, config: Config, changed: Date, parameters?: number): Facts {
  return [...configFacts(config, { parameters }), ['Trained', describeWriting(folder, changed)]];
}

/** `by admin-nmt 0.1.0, last written 2020-11-16 09:30 UTC` */
export function describeWriting(folder: string, changed: Date): string {
  const writer = writerOf(runConfigFile(folder));
  return `${writer === undefined ? '' : `by admin-nmt ${writer}, `}last written ${formatDate(changed)}`;
}

/** The keys of some configs whose values are not the same in all of them. */
export function differingKeys(configs: readonly WrittenConfig[]): Set<string> {
  const keys = [...configKeys.keys()];
  return new Set(
    keys.filter((key) => new Set(configs.map((config) => JSON.stringify(valueAt(config, key)))).size > 1),
  );
}

/** How many pairs a dataset has; empty where it is not here any more, or was made by others. */
function sizesOf(destdir: string): string {
  try {
    const { splits } = readManifest(destdir);
    const counts = Object.entries(splits).map(([split, { kept }]) => `${kept.toLocaleString('en')} ${split}`);
    return `: ${counts.join(', ')} pairs`;
  } catch (error) {
    userErrorOf(error);
    return '';
  }
}
