import type { Setting } from '../../config/override.js';
import type { SettledConfig } from '../../config/schema.js';
import type { TrainingData } from '../train/data.js';
import type { AnalysisBatch, BatchChoice } from './batch.js';
import type { AnalyzedModel } from './models.js';

/** What `analyze` can measure, in the order of its page. */
export const MEASURES = ['dependency', 'output-change', 'gradients', 'updates', 'omega'] as const;
export type Measure = (typeof MEASURES)[number];

/** The flags of `analyze`. */
export interface AnalyzeOptions extends BatchChoice {
  output?: string;
  html?: string;
  checkpoint?: string[];
  schemes?: string[];
  depths?: number[];
  deltas?: number[];
  seeds: number;
  steps: number;
  /** The command line, for the page. */
  args?: readonly string[];
  /** That go over the config. */
  settings: readonly Setting[];
}

/** What all measures go by. */
export interface AnalysisContext {
  config: SettledConfig;
  models: readonly AnalyzedModel[];
  data: TrainingData;
  batch: AnalysisBatch;
  options: AnalyzeOptions;
}
