import type { Setting } from '../../config/override.js';
import type { BatchChoice } from './batch.js';

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
