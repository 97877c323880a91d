import { InterruptedError } from '../common/errors.js';
import type { ProfileRow } from '../report/profile-table.js';
import { type ConfigSource, resolveConfig } from './config.js';

/** A line of the metrics of a training, as metrics.jsonl has it: docs/train.md explains the keys. */
export interface TrainingProgress {
  /** A stretch of updates, a validation, or something that the doctor has seen. */
  event: 'train' | 'valid' | 'doctor';
  epoch: number;
  /** Updates so far. */
  num_updates: number;
  /** Seconds of training so far. */
  wall: number;
  /** loss, nll_loss, ppl, wps, lr, bleu, … */
  readonly [key: string]: unknown;
}

export interface TrainingOptions {
  /** Start anew in a run directory that has checkpoints. */
  restart?: boolean;
  /** Keys of settings that may differ from those of the checkpoint although they are bound to it. */
  allowChange?: readonly string[];
  /** Told of every line of metrics.jsonl as it is written. */
  onProgress?: (progress: TrainingProgress) => void;
  /** An AbortSignal: once it is aborted, saves after the update under way and ends, with an InterruptedError; the same call goes on from there. */
  signal?: { readonly aborted: boolean };
}

/** How a training ended. */
export interface TrainingResult {
  /** To translate from, to resume or to report on. */
  runDirectory: string;
  updates: number;
  epoch: number;
  /** Of training, those before a resumption included. */
  seconds: number;
  /** Why it ended, in words. */
  reason: string;
  /** The best validation, if any, in bits a token. */
  best: { loss: number; updates: number; epoch: number } | null;
}

/**
 * `admin-nmt train`: dataset → run directory with checkpoints. Makes the dataset and the profile where they are missing
 * or stale, and goes on where the run in `train.save-dir` stopped.
 *
 * @throws UserError for what the caller can mend; DivergenceError; InterruptedError after `signal`, when all is saved
 */
export async function train(config: ConfigSource, options: TrainingOptions = {}): Promise<TrainingResult> {
  const { signal, onProgress, restart, allowChange } = options;
  const loaded = resolveConfig(config);
  refuseAborted(signal);
  const { train: run } = await import('../workflows/train/train.js');
  const { state, reason } = await run(loaded.config, loaded.written, {
    restart,
    allowChange,
    onMetrics: (line) => onProgress?.({ ...line }),
    listen: () => ({
      received: () => (signal?.aborted ? 'SIGTERM' : undefined),
      saveRequested: () => false,
      stop: () => {},
    }),
  });
  const [best = null] = state.bests;
  return {
    runDirectory: loaded.config.train.saveDir,
    updates: state.updates,
    epoch: state.epoch,
    seconds: state.seconds,
    reason,
    best: best && { loss: best.loss, updates: best.updates, epoch: best.epoch },
  };
}

function refuseAborted(signal: TrainingOptions['signal']): void {
  if (signal?.aborted) throw new InterruptedError('SIGTERM', 'Interrupted before training began.');
}

/** `admin-nmt preprocess`: text → tokenizer, dictionaries and a dataset in `data.destdir`. @throws UserError */
export async function preprocess(
  config: ConfigSource,
  options: { overwrite?: boolean; append?: boolean } = {},
): Promise<void> {
  const loaded = resolveConfig(config);
  const { preprocess: run } = await import('../workflows/preprocess/preprocess.js');
  await run(loaded.config, options);
}

/** What a profile has found. */
export interface Profile {
  /** Encoder first, in the order of the model. */
  sublayers: ProfileRow[];
  /** ω of each sublayer of a stack, and what the formula of the depth gives in its place. */
  omega: { encoder: number[]; decoder: number[] };
  analytic: { encoder: number[]; decoder: number[] };
}

/**
 * `admin-nmt profile`: measures the residual branches of the initial model on the first training batch, and writes
 * `admin-profile.json` and `profile.ratio.init` into `output`, or the run directory.
 *
 * @throws UserError
 */
export async function profile(config: ConfigSource, options: { output?: string } = {}): Promise<Profile> {
  const loaded = resolveConfig(config);
  const { profile: run } = await import('../workflows/profile.js');
  const { sublayers, omega, analytic } = await run(loaded.config, loaded.written, options);
  const plain = ({ encoder, decoder }: typeof omega) => ({ encoder: [...encoder], decoder: [...decoder] });
  return { sublayers, omega: plain(omega), analytic: plain(analytic) };
}
