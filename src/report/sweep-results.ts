import { deviation, mean } from '../common/statistics.js';
import type { ScoreName, Scores } from '../common/validation-figures.js';
import type { Facts } from './page-header.js';
import { LETTERS, type Verdict } from './verdict.js';

/** What the report of a sweep is made of. */

/** A validation, in bits for each target token. */
export interface ValidPoint {
  readonly updates: number;
  readonly loss: number;
  readonly nll: number;
}

/** Where a training stands. */
export interface CellFigures {
  readonly verdict: Verdict;
  readonly best: ValidPoint | null;
  readonly last: ValidPoint | null;
  readonly updates: number;
  /** Of training. */
  readonly seconds: number;
  /** Median target tokens a second. */
  readonly speed: number | null;
}

/** Points of a curve: updates and bits a token. */
export type CurvePoints = readonly (readonly [updates: number, bits: number])[];

/** A training of the sweep. */
export interface SweepCell extends CellFigures {
  readonly name: string;
  readonly seed: number;
  /** Why it failed or diverged. */
  readonly message: string | null;
  readonly test: Readonly<Partial<Scores>> | null;
  /** Negative log-likelihood in training and in validation. */
  readonly curves: { readonly train: CurvePoints; readonly valid: CurvePoints };
}

/** A paired test under one metric. */
export interface TestResult {
  /** How probable a larger difference is by chance. */
  readonly p: number;
  /** What it means, as the test says it. */
  readonly finding: 'differs' | 'may be chance' | 'same counts' | 'same text';
}

/** How a group compares with the first one. */
export interface Significance extends Readonly<Partial<Record<ScoreName, TestResult>>> {
  /** Seeds that both have. */
  readonly seeds: number;
}

/** Trainings that differ in the seed alone. */
export interface SweepGroup {
  readonly name: string;
  /** In the order of the axes. */
  readonly values: readonly string[];
  readonly cells: readonly SweepCell[];
  /** The plateau, in bits a token; null where it is not known. */
  readonly unigram: number | null;
  /** Null for the first group, and where nothing can be compared. */
  readonly significance: Significance | null;
}

export interface SweepAxis {
  /** Of the config. */
  readonly key: string;
  readonly label: string;
  /** As they are shown, in the order of the plan. */
  readonly values: readonly string[];
  /** Whether all of them are numbers. */
  readonly numeric: boolean;
}

export interface SweepReport {
  readonly title: string;
  /** What all trainings have in common, and what was varied. */
  readonly facts: Facts;
  /** Whether the groups are listed by name and not a grid of the axes. */
  readonly listed: boolean;
  readonly axes: readonly SweepAxis[];
  readonly groups: readonly SweepGroup[];
  /** How the test text was scored, a line for each metric; empty where it was not. */
  readonly signatures: readonly string[];
}

/** The worst verdict of some trainings. */
export function worstVerdict(cells: readonly SweepCell[]): Verdict {
  const order = Object.keys(LETTERS) as Verdict[];
  return order[Math.max(0, ...cells.map(({ verdict }) => order.indexOf(verdict)))];
}

/** Letters of the verdicts, a seed each. */
export function lettersOf(cells: readonly SweepCell[]): string {
  return cells.map(({ verdict }) => LETTERS[verdict]).join('');
}

/** Mean and sample standard deviation (n − 1); the latter is null for one value. */
export function spread(values: readonly number[]): { mean: number; deviation: number | null } {
  return { mean: mean(values), deviation: deviation(values) };
}
