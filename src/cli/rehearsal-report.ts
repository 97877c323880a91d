import process from 'node:process';
import { formatSeconds } from '../common/progress.js';
import type { TrainConfig } from '../config/schema.js';
import type { Rehearsal } from '../train/rehearsal.js';

/** What a training takes, as lines of text. @param parameters of the model */
export function describeRehearsal(
  { maxUpdate, maxEpoch, stopTime, keepLast }: TrainConfig,
  { updates, tokens, largest, seconds, checkpointBytes }: Rehearsal,
  parameters: number,
): string {
  const epochs = Math.min(maxEpoch ?? Infinity, maxUpdate === null ? Infinity : maxUpdate / updates);
  const whole = Math.min(epochs * seconds, stopTime === null ? Infinity : 60 * stopTime);
  // A forward pass takes two operations for each parameter and token, a backward pass twice as many.
  const flops = 6 * parameters * tokens;
  const checkpoints = keepLast === 0 ? 'each checkpoint' : `at most ${keepLast + 2} checkpoints`;
  const disk = (keepLast === 0 ? 1 : keepLast + 2) * checkpointBytes;
  const rows = [
    ['Epoch', `${updates} updates, ${tokens} tokens, about ${formatSeconds(seconds)}`],
    [
      'Training',
      whole === Infinity
        ? 'ends when the validation says so (train.patience)'
        : `about ${formatSeconds(whole)} (${Math.round((whole / seconds) * updates)} updates), validation and saving aside`,
    ],
    [
      'Work',
      `${(flops / 1e12).toFixed(2)} TFLOP an epoch in the layers, ${(flops / seconds / 1e9).toFixed(0)} GFLOP/s`,
    ],
    [
      'Memory',
      `${gigabytes(process.resourceUsage().maxRSS * 1024)} at the most, with the largest batch (${largest} tokens)`,
    ],
    ['Disk', `${gigabytes(checkpointBytes)} a checkpoint, ${gigabytes(disk)} for ${checkpoints}`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(9)} ${text}\n`).join('');
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
