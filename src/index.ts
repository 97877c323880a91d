/**
 * `admin-nmt` as a library: what the commands are made of. `admin-nmt/sacrebleu` and `admin-nmt/tokenizer` are
 * entries of their own, which load no tensors.
 */
export { type BackendName, type ChosenBackend, initBackend } from './backend/init.js';
export { InterruptedError, UserError } from './common/errors.js';
export { loadConfig, loadRunConfig } from './config/load.js';
export type { Config, ModelConfig, PartialConfig } from './config/schema.js';
export { type Batch, type Packed, pack, packBatch } from './data/batch.js';
export { type BatchOptions, batches, planBatches } from './data/batch-iterator.js';
export { Dictionary, EOS, PAD, UNK } from './data/dictionary.js';
export { ParallelDataset, type SentencePair } from './data/parallel-dataset.js';
export { locateCheckpoint } from './decode/checkpoint-location.js';
export { type LoadedModel, loadModel } from './decode/load-model.js';
export { beamSearch, type Hypothesis, type SearchOptions, type StepModel } from './decode/search.js';
export { type TranslateOptions, translateLines } from './decode/translate-lines.js';
export type { Translation } from './decode/translation-format.js';
export { readSafetensors, writeSafetensors } from './formats/safetensors.js';
export { IncrementalDecoder } from './model/incremental.js';
export { analyticOmega, type OmegaValues } from './model/omega.js';
export { type ProfiledSublayer, profileOmega } from './model/profile.js';
export { readOmega, writeOfficialProfile, writeProfile } from './model/profile-file.js';
export { Transformer, type VocabularySizes } from './model/transformer.js';
