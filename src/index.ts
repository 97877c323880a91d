/**
 * `admin-nmt` for programs: docs/library.md. `admin-nmt/sacrebleu` and `admin-nmt/tokenizer` are entries of their own, which
 * load no tensors.
 */
import { log } from './common/log.js';

export { DivergenceError, InterruptedError, UserError } from './common/errors.js';
export type { Level, MessageListener } from './common/log.js';
export type { PartialConfig } from './config/schema.js';
export type { WeightsKind } from './decode/checkpoint-location.js';
export type { LineRequest } from './decode/line-request.js';
export type { TranslatedHypothesis, Translation } from './decode/translation-format.js';
export type { ConfigSource } from './library/config.js';
export { type ScoreOfCorpus, type ScoringOptions, score } from './library/score.js';
export { makeShortlist, type ShortlistOptions } from './library/shortlist.js';
export {
  type Profile,
  preprocess,
  profile,
  type TrainingOptions,
  type TrainingProgress,
  type TrainingResult,
  train,
} from './library/training.js';
export { Translator, type TranslatorOptions } from './library/translator.js';
export type { ProfileRow } from './report/profile-table.js';

/** Hands every message that the program would print on standard error to a listener; until then they are dropped. */
export function onMessage(listener: import('./common/log.js').MessageListener): void {
  log.setListener(listener);
}

log.setListener(() => {});
