import type { FigureName, Scores } from '../common/validation-figures.js';
import type { Facts } from './page-header.js';

/** What a training report and the list of runs are made of. */

/** As far as the files of a run tell. */
export type RunState = 'running' | 'finished' | 'interrupted' | 'diverged' | 'empty';

/** Where a run stands. */
export interface RunOverview {
  readonly name: string;
  readonly state: RunState;
  /** Of its training: `train.precision`. */
  readonly precision: string;
  readonly updates: number;
  /** From 1; 0 before the first line. */
  readonly epoch: number;
  /** Seconds of training, over all resumptions. */
  readonly seconds: number;
  /** The lowest validation loss. */
  readonly best: { readonly loss: number; readonly updates: number; readonly epoch: number } | null;
  /** The best scores of a validation; none without `eval-bleu`. */
  readonly bestScores: Readonly<Partial<Scores>>;
  /** The latest losses for each target token, in bits. */
  readonly trainLoss: number | null;
  readonly validLoss: number | null;
  /** Median target tokens a second. */
  readonly speed: number | null;
}

/** Figures that training alone has, by their names in metrics.jsonl. */
export const TRAINING_FIGURES = ['lr', 'gnorm', 'clip', 'wps'] as const;

/** A figure of a line that pages show. */
export type ShownFigure = FigureName | (typeof TRAINING_FIGURES)[number];

/** A line of metrics.jsonl, by its own keys (docs/train.md). */
export interface MetricsPoint extends Readonly<Partial<Record<ShownFigure, number>>> {
  readonly event: 'train' | 'valid';
  readonly epoch: number;
  readonly num_updates: number;
  readonly wall: number;
  /** With `eval-bleu`. */
  readonly samples?: readonly Sample[];
}

/** A sentence of the validation split, and its translation. */
export interface Sample {
  readonly source: string;
  readonly reference: string;
  readonly hypothesis: string;
}

/** A run as the report shows it. */
export interface TrainingRun extends RunOverview {
  readonly lines: readonly MetricsPoint[];
  /** What was trained. */
  readonly facts: Facts;
  /** Every key of the config with its value in JSON. */
  readonly settings: ReadonlyMap<string, string>;
  /** The latest checkpoint; null before the first. */
  readonly weights: RunWeights | null;
}

/** What is shown of a checkpoint. */
export interface RunWeights {
  /** Its name. */
  readonly checkpoint: string;
  readonly parameters: number;
  /** In the order of the forward pass; empty where the scheme has no ω. */
  readonly omega: readonly SublayerOmega[];
  readonly norms: readonly WeightNorm[];
}

export type Stack = 'encoder' | 'decoder';

/** ω of one residual sublayer: the number it began with, and its vector as trained. */
export interface SublayerOmega {
  readonly stack: Stack;
  /** From 0. */
  readonly layer: number;
  readonly sublayer: 'self' | 'encoder' | 'fc';
  /** Null where it is not known. */
  readonly start: number | null;
  readonly mean: number;
  /** Standard deviation over the components. */
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

/** The Frobenius norm of a weight of a layer. */
export interface WeightNorm {
  readonly stack: Stack;
  /** From 0. */
  readonly layer: number;
  /** Such as `self-attention out`. */
  readonly part: string;
  readonly norm: number;
}
