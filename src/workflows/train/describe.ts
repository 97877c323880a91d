import * as fs from 'node:fs';
import * as path from 'node:path';
import { describeBatchSize } from '../../common/batch-by.js';
import { formatDuration } from '../../common/duration.js';
import { SCORE_NAMES, tellFigures } from '../../common/validation-figures.js';
import type { Config, SettledConfig } from '../../config/schema.js';
import { omegaStacks } from '../../model/scheme.js';
import { BEST_CHECKPOINT, LAST_CHECKPOINT } from '../../train/checkpoint-folders.js';
import type { FinalAverage } from '../../train/final-average.js';
import type { TrainingEnd } from '../../train/training.js';
import { checkpointBytes } from '../../train/trial.js';
import { guidanceOf } from '../attention-choice.js';
import type { TrainingData } from './data.js';
import { describeDisk } from './rehearsal-report.js';
import type { Start } from './start.js';

/** Lines on what a training starts with. */
export function describeStart(config: SettledConfig, data: TrainingData, start: Start): string[] {
  const { model, train } = config;
  const { residual, encoder, decoder, embedDim } = model;
  const omega = start.omega
    ? ` (ω ${range(omegaStacks(model).flatMap((stack) => start.omega![stack]))})`
    : '';
  const trained = start.model.trainable.reduce((sum, { size }) => sum + size, 0);
  const frozen = train.freeze.length === 0 ? '' : `, ${trained} of them trained`;
  const [source, target] = [data.train.sourceLengths, data.train.targetLengths].map(total);
  const batch = `${describeBatchSize(train.maxTokens, train.batchBy)}${train.updateFreq === 1 ? '' : ` × ${train.updateFreq} batches`}`;
  const valid = data.valid === null ? 'no validation split' : `${data.valid.size} pairs to validate`;
  return [
    `Model: ${encoder.layers} + ${decoder.layers} layers of width ${embedDim}, ${residual}${omega}, ${start.model.size} parameters${frozen}`,
    `Data: ${data.train.size} pairs, ${source} source and ${target} target tokens; ${valid}`,
    `Update: at most ${batch}; ${train.optimizer}, lr ${train.lr}, ${train.lrScheduler} after ${train.warmupUpdates} updates of warmup`,
    ...describeGuidance(config),
    `Disk: ${describeDisk(train, checkpointBytes(start.model, train))}`,
  ];
}

/** Which attention learns from alignments, if one does. */
function describeGuidance(config: Config): string[] {
  const guidance = guidanceOf(config);
  if (guidance === null) return [];
  const { layer, head, weight } = guidance;
  const heads = head === null ? 'the mean of all heads' : `head ${head + 1}`;
  return [`Alignment: ${heads} of decoder layer ${layer + 1}, weight ${weight}`];
}

/** Lines on how a training has ended, and what to do with it. */
export function describeEnd(
  { train }: Config,
  { state, reason, last, averages, lost }: TrainingEnd,
): string[] {
  const { saveDir } = train;
  const {
    bests: [best],
    updates,
    seconds,
  } = state;
  const loss = last === undefined ? '' : `, loss ${last.loss.toFixed(3)}, ppl ${last.ppl.toFixed(2)}`;
  const isBest = best !== undefined && fs.existsSync(path.join(saveDir, BEST_CHECKPOINT)); // that of before is elsewhere
  const checkpoint = path.join(saveDir, isBest ? BEST_CHECKPOINT : LAST_CHECKPOINT);
  const which = !isBest
    ? ''
    : ` (valid loss ${best.loss.toFixed(3)} after ${best.updates} updates, epoch ${best.epoch})`;
  return [
    `Done, since ${reason}: ${updates} updates in ${formatDuration(seconds)}${loss}`,
    `Model: ${checkpoint}${which}`,
    ...(lost === undefined
      ? []
      : [
          `Ranks: ${percent(lost.idle)} of the time waiting for the slowest, ${percent(lost.exchange)} in sums and messages`,
        ]),
    ...averages.map(describeAverage),
    `To translate: admin-nmt translate ${saveDir} --input FILE`,
  ];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function describeAverage({ folder, count, figures }: FinalAverage): string {
  const told = figures === null ? [] : tellFigures(figures, ['loss', ...SCORE_NAMES]);
  const scores = told.length === 0 ? '' : `, valid ${told.join(', ')}`;
  return `Average: ${folder} (the mean of ${count} checkpoints${scores})`;
}

function total(lengths: Int32Array): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

function range(values: readonly number[]): string {
  const ends = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(2));
  return ends[0] === ends[1] ? ends[0] : ends.join('–');
}
