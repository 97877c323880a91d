import type { SettledConfig } from '../../config/schema.js';
import type { TrainingData } from '../train/data.js';
import type { AnalysisBatch } from './batch.js';
import type { AnalyzedModel } from './models.js';
import type { AnalyzeOptions } from './options.js';

/** What all measures go by. */
export interface AnalysisContext {
  config: SettledConfig;
  models: readonly AnalyzedModel[];
  data: TrainingData;
  batch: AnalysisBatch;
  options: AnalyzeOptions;
}
