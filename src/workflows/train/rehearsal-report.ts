import { formatDuration } from '../../common/duration.js';
import { formatMemory } from '../../common/memory-limit.js';
import type { TrainConfig } from '../../config/schema.js';
import { savesOnTheWay } from '../../train/milestones.js';
import type { Rehearsal } from '../../train/rehearsal.js';

/**
 * What a training takes, as lines of text.
 *
 * @param limit what memory it may take, in words; null for what a graphics card has
 * @param ofCard whether the memory is that of a graphics card
 */
export function describeRehearsal(
  config: TrainConfig,
  { updates, tokens, operations, largest, seconds, memoryBytes, checkpointBytes }: Rehearsal,
  limit: string | null,
  ofCard: boolean,
): string {
  const { maxUpdate, maxEpoch, stopTime } = config;
  const epochs = Math.min(maxEpoch ?? Infinity, maxUpdate === null ? Infinity : maxUpdate / updates);
  const whole = Math.min(epochs * seconds, stopTime === null ? Infinity : 60 * stopTime);
  const rows = [
    ['Epoch', `${updates} updates, ${tokens} tokens, about ${formatDuration(seconds)}`],
    [
      'Training',
      whole === Infinity
        ? 'ends when the validation says so (train.patience)'
        : `about ${formatDuration(whole)} (${Math.round((whole / seconds) * updates)} updates), validation and saving aside`,
    ],
    [
      'Work',
      `${(operations / 1e12).toFixed(2)} TFLOP an epoch in the linear maps, ${(operations / seconds / 1e9).toFixed(0)} GFLOP/s`,
    ],
    [
      'Memory',
      `${formatMemory(memoryBytes)}${ofCard ? ' of the graphics card' : ''} at the most, with the largest batch (${largest} tokens)` +
        `${ofCard ? '' : ' and while saving'}; allowed are ${limit ?? 'what the card has, which WebGPU does not tell'}`,
    ],
    ['Disk', describeDisk(config, checkpointBytes)],
  ];
  return rows.map(([name, text]) => `${name.padEnd(9)} ${text}\n`).join('');
}

/** What the checkpoints of a training take, in words. @param bytes of one */
export function describeDisk(config: TrainConfig, bytes: number): string {
  const { keepLast, keepBest } = config;
  const one = `${formatMemory(bytes)} a checkpoint`;
  const periodic = savesOnTheWay(config);
  if (periodic && keepLast === 0) return `${one}, all of them are kept (train.keep-last 0)`;
  const most = (periodic ? keepLast : 0) + keepBest + 1; // the last one; those that are kept may be others
  return `${one}, at most ${formatMemory((most + 1) * bytes)} for ${most} and the one that is being written`;
}
