import type { Precision } from '../src/common/precision.js';
import { MODELS, type ModelName } from './bench-model.js';

const median = (numbers: number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Median, least and most of numbers. */
export const spread = (numbers: number[], digits: number): string =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)}–${Math.max(...numbers).toFixed(digits)})`;

/** A precision's floor and steps. */
export interface Measured {
  precision: Precision;
  floorSeconds: number[];
  stepSeconds: number[];
  tokens: number[];
  efficiency: number[];
  bytes: number;
  loss: number | undefined;
  /** PyTorch in the same precision; `ratio`: its time over ours. */
  peer?: { version: string; seconds: number[]; ratio: number[]; bytes: number };
}

/** What was measured of a model, precision by precision. */
export interface Result {
  model: ModelName;
  ours: Measured[];
}

/** @param python where PyTorch was looked for */
export function describe({ model, ours }: Result, python: string): string {
  const { width, inner, heads, encoder } = MODELS[model];
  const rate = (seconds: number[]): number[] => seconds.map((each, i) => ours[0].tokens[i] / each);
  const gib = (size: number): string => `${(size / 2 ** 30).toFixed(2)} GiB`;
  const lines = [`${model}: d ${width}, ffn ${inner}, ${heads} heads, ${encoder}+${encoder}`];
  for (const { precision, floorSeconds, stepSeconds, efficiency, bytes, loss, peer } of ours) {
    lines.push(
      `  ${precision}, first loss ${loss?.toFixed(4)}`,
      `    floor       ${spread(floorSeconds, 3)} s`,
      `    step        ${spread(stepSeconds, 3)} s   efficiency ${spread(efficiency, 3)}`,
      `    tokens/s    ${spread(rate(stepSeconds), 0)}   peak memory ${gib(bytes)}`,
    );
    if (peer === undefined) lines.push(`    PyTorch: skipped, ${python} has none`);
    else
      lines.push(
        `    ${peer.version}: ${spread(peer.seconds, 3)} s   ${spread(rate(peer.seconds), 0)} tokens/s   peak memory ${gib(peer.bytes)}`,
        `    ratio       ${spread(peer.ratio, 2)} times as fast`,
      );
  }
  if (ours.length > 1) {
    const ratio = ours[1].stepSeconds.map((seconds, i) => ours[0].stepSeconds[i] / seconds);
    lines.push(`  ${ours[1].precision} against ${ours[0].precision}: ${spread(ratio, 2)} times as fast`);
  }
  return lines.join('\n');
}
