import type { TensorMemory } from '../backend/init.js';
import type { Communicator } from '../common/communicator.js';
import type { GrownSum } from '../common/growing-sum.js';
import type { TrainConfig } from '../config/schema.js';
import type { PairSource, Resegment } from '../data/batch-iterator.js';
import type { Guidance } from '../model/guided-alignment.js';
import type { Transformer } from '../model/transformer.js';
import type { Moments } from '../ops/optimizer.js';
import type { FinalAverage } from './final-average.js';
import type { TrainFigures } from './meter.js';
import type { MetricsLine } from './metrics-log.js';
import type { Idleness } from './ranks.js';
import type { SaverOptions } from './saver.js';
import type { TrainState } from './state.js';
import type { AllReduce } from './update.js';
import type { TranslateValidation } from './validation.js';

/** What a training is to do, and with what. */
export interface TrainerOptions extends Omit<SaverOptions, 'keep'> {
  config: TrainConfig;
  seed: number;
  maxPositions: number;
  /** Which attention learns from the alignments that pairs have; none by default. */
  guidance?: Guidance | null;
  /** Holds checkpoints and metrics.jsonl. */
  runDirectory: string;
  train: PairSource;
  /** Null where there is no validation split: then nothing is validated. */
  valid: PairSource | null;
  /** BPE-dropout. */
  resegment?: Resegment;
  /** The processes that train together, each with these options but what it hears; default one. */
  communicator?: Communicator;
  /** What is done with the gradients of one process alone, in place of their sum. */
  allReduce?: AllReduce;
  /** Whether what training starts with is to be saved first: it is in no checkpoint of this run yet. */
  unsaved?: boolean;
  /** Told of every line of the metrics as it is written. */
  onMetrics?: (line: MetricsLine) => void;
  /** Translates the validation split, with `eval-bleu`. */
  translate?: TranslateValidation;
  /** The signal that asked to stop, if any; asked before every update. */
  interrupted: () => 'SIGINT' | 'SIGTERM' | undefined;
  /** Whether somebody has asked for a checkpoint since the last question. */
  saveRequested?: () => boolean;
  /** Whether a device computes that may be lost with all that it holds: then a copy is kept, see `rescue-interval`. */
  isVolatile?: boolean;
  /** Memory of the backend for tensors: that of a graphics card is told in the metrics. */
  memory?: TensorMemory | null;
  /** Ends the process, saved, before so many seconds of it are over; null does not. */
  stopAfter?: number | null;
}

/** Where training starts. */
export interface TrainingStart {
  /** Owned by the caller. */
  model: Transformer;
  state: TrainState;
  /** Of the optimizer at that point; owned by the trainer. None at the very start. */
  moments?: Moments;
  /** The moving average of the weights at that point; owned by the trainer. None where there is none yet. */
  ema?: Transformer;
  /** What the metrics were at that point, where a checkpoint says so. */
  metrics?: GrownSum;
}

/** How training ended. */
export interface TrainingEnd {
  state: Readonly<TrainState>;
  /** Why, in words. */
  reason: string;
  /** The last line of the metrics of this process, if any. */
  last?: TrainFigures;
  /** With `average-last` and `average-best`. */
  averages: FinalAverage[];
  /** Of several processes: what their being several has cost. */
  lost?: Idleness;
}
