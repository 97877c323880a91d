import { mean } from '../src/common/statistics.js';
import type { ProfiledSublayer } from '../src/model/profile.js';
import type { Analysis, Direction, Stack } from '../src/report/analysis-data.js';
import type { SweepRecord } from '../src/workflows/sweep/record.js';

/** How far a figure may be from that of the page, beyond the rounding of what is printed, and why so far. */
export interface Tolerance {
  readonly relative?: number;
  /** In the unit of the figure. */
  readonly absolute?: number;
  readonly why: string;
}

/** Where a figure of the page comes from. */
export interface Reading {
  /** In the work folder; its first part is the output of the command that makes it (`sgd/sweep.json`, `folded.log`). */
  readonly file: string;
  /** The cells of a sweep that are read, those of all seeds: `residual=admin`. */
  readonly group?: string;
  /** @returns undefined where the file does not have it */
  readonly read: (text: string) => number | null | undefined;
  readonly tolerance: Tolerance;
}

export const EXACT: Tolerance = { why: 'it follows from the depth alone' };
const OF_DEPTHS: Tolerance = { why: 'it follows from the depths that are looked at' };
export const COUNTED: Tolerance = { why: 'it is counted, of the same text' };
export const MEASURED: Tolerance = {
  relative: 0.01,
  why: 'the same weights and sentences everywhere; another processor adds in another order',
};
export const PERTURBED: Tolerance = {
  absolute: 0.02,
  relative: 0.05,
  why: 'a change of 1e-4 or 1e-6 in 32-bit floats: rounding is a part of it',
};
export const TRAINED: Tolerance = {
  absolute: 0.1,
  why: 'bits; roundings of another processor grow with every update: seeds differ by 0.03 to 0.05',
};
export const UNSTABLE: Tolerance = {
  absolute: 0.5,
  why: 'bits; a loss that rises and falls by chance: seeds differ by 0.4',
};
export const WAVERING: Tolerance = {
  absolute: 1.5,
  why: 'bits; seeds of the profiled ω at its highest rate differ by more than one',
};
export const LOST: Tolerance = {
  absolute: 3,
  why: 'bits; how far a training is above the plateau that has failed',
};
export const MOVED: Tolerance = {
  relative: 0.15,
  why: 'a share after 600 updates of one seed, which differ from processor to processor as losses do',
};
export const SCORED: Tolerance = { absolute: 2, why: 'BLEU or chrF of one training of 800 updates' };

type Pick = (analysis: Analysis) => number | null | undefined;

const analysis = (file: string, tolerance: Tolerance, pick: Pick): Reading => ({
  file,
  tolerance,
  read: (text) => pick(JSON.parse(text)),
});

/** Mean β² of the own branch over the sublayers of a stack. */
export function ownShare(
  file: string,
  subject: { residual: string; checkpoint: string },
  stack: Stack,
  tolerance = MEASURED,
): Reading {
  return analysis(file, tolerance, ({ dependency }) => {
    const found = dependency?.find(
      ({ residual, checkpoint }) => residual === subject.residual && checkpoint === subject.checkpoint,
    );
    const rows = found?.stacks.find((part) => part.stack === stack)?.rows;
    return rows && mean(rows.map(({ shares }) => shares.at(-1)!));
  });
}

/** Σβ² of the own branches over the sublayers of a stack. */
export function ownSum(file: string, scheme: string, stack: Stack): Reading {
  return analysis(file, MEASURED, ({ dependency }) => {
    const found = dependency?.find(({ residual }) => residual === scheme);
    const rows = found?.stacks.find((part) => part.stack === stack)?.rows;
    return rows?.reduce((sum, { shares }) => sum + shares.at(-1)!, 0);
  });
}

/** Mean β² of the own branch where branches are equal and not correlated. */
export function expectedShare(file: string, scheme: string, stack: Stack): Reading {
  return analysis(file, EXACT, ({ dependency }) => {
    const found = dependency?.find(({ residual }) => residual === scheme);
    const rows = found?.stacks.find((part) => part.stack === stack)?.expected;
    return rows && mean(rows.map((shares) => shares.at(-1)!));
  });
}

/** Largest over smallest among the matrices of a stack. */
export function spreadOf(
  file: string,
  scheme: string,
  stack: Stack,
  quantity: 'gradient' | 'update',
): Reading {
  return analysis(file, MEASURED, ({ gradients }) => {
    const found = gradients?.find(({ residual }) => residual === scheme);
    const values = found?.matrices
      .filter((matrix) => matrix.stack === stack)
      .map((matrix) => matrix[quantity]);
    return values && Math.max(...values) / Math.min(...values);
  });
}

/** How the output change grows with depth. */
export function growth(
  file: string,
  scheme: string,
  stack: Stack,
  direction: Direction,
  what: 'exponent' | 'deviation' | 'expected',
): Reading {
  const linear = ['post-ln', 'look-linear'].includes(scheme); // at any depths
  const expected = linear ? EXACT : OF_DEPTHS;
  return analysis(file, what === 'expected' ? expected : PERTURBED, ({ outputChange }) => {
    const found = outputChange?.growth.find(
      (line) => line.residual === scheme && line.stack === stack && line.direction === direction,
    );
    return found?.[what];
  });
}

/** The largest output change that was measured. */
export function largestChange(file: string, scheme: string): Reading {
  return analysis(file, EXACT, ({ outputChange }) => {
    const found = outputChange?.changes.filter(
      ({ residual, direction }) => residual === scheme && direction === 'random',
    );
    return found && Math.max(...found.flatMap(({ changes }) => changes));
  });
}

/** What the first update without warmup changes in the output of the encoder. */
export function firstChange(file: string, scheme: string): Reading {
  return analysis(file, MEASURED, ({ updates }) => {
    const found = updates?.find(({ residual, warmup }) => residual === scheme && !warmup);
    return found?.steps[0].encoderChange;
  });
}

/** ω of a profile: the first, the last or the mean of a stack. */
export function omega(folder: string, stack: Stack, which: 'first' | 'last' | 'mean'): Reading {
  const read = (text: string): number | undefined => {
    const { sublayers } = JSON.parse(text) as { sublayers: ProfiledSublayer[] };
    const values = sublayers.filter((sublayer) => sublayer.stack === stack).map((sublayer) => sublayer.omega);
    return which === 'mean' ? mean(values) : values.at(which === 'first' ? 0 : -1);
  };
  return {
    file: `${folder}/admin-profile.json`,
    tolerance: which === 'first' ? EXACT : MEASURED,
    read,
  };
}

/** A number that a command says: the first group of a pattern. */
export function said(output: string, pattern: RegExp, tolerance: Tolerance): Reading {
  const read = (text: string): number | undefined => {
    const [, number] = pattern.exec(text) ?? [];
    return number === undefined ? undefined : Number(number);
  };
  return { file: `${output}.log`, tolerance, read };
}

type Validation = 'best loss' | 'best nll' | 'last nll';

/** A validation, in bits a token: the mean over the seeds of a group. */
export function validation(
  sweep: string,
  group: string,
  which: Validation,
  tolerance: Tolerance = TRAINED,
): Reading {
  const [when, what] = which.split(' ') as ['best' | 'last', 'loss' | 'nll'];
  const read = (text: string): number | undefined => {
    const { cells } = JSON.parse(text) as SweepRecord;
    const values = cells
      .filter((cell) => cell.group === group && cell.end !== null)
      .map(({ figures }) => figures?.[when]?.[what]);
    const all = values.every((value) => value !== undefined);
    return values.length > 0 && all ? mean(values as number[]) : undefined;
  };
  return { file: `${sweep}/sweep.json`, group, tolerance, read };
}

/** The unigram plateau, in bits a token. */
export function plateau(sweep: string): Reading {
  const read = (text: string): number | null => (JSON.parse(text) as SweepRecord).cells[0].unigram;
  return { file: `${sweep}/sweep.json`, tolerance: COUNTED, read };
}

/** nll of the validation text after so many updates of a training with seed 1, in bits a token. */
export function validatedAt(
  sweep: string,
  group: string,
  updates: number,
  tolerance: Tolerance = TRAINED,
  seed = 1,
): Reading {
  const read = (text: string): number | undefined => {
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    return events.findLast(({ event, num_updates }) => event === 'valid' && num_updates === updates)
      ?.nll_loss;
  };
  return { file: `${sweep}/${group},seed=${seed}/metrics.jsonl`, group, tolerance, read };
}

/** A score of the test text, from the table of the settings. */
export function scored(sweep: string, group: string, column: 'test BLEU' | 'test chrF'): Reading {
  const read = (text: string): number | undefined => {
    const rows = text
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    const place = rows.find((cells) => cells.includes(column))?.indexOf(column);
    const cell = rows.find(([, name]) => name === group)?.[place ?? 0];
    return cell ? Number.parseFloat(cell) : undefined;
  };
  return { file: `${sweep}/sweep.md`, group, tolerance: SCORED, read };
}
