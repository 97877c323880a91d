import { DamageError, UserError } from '../common/errors.js';
import type { FileSum } from '../common/file-sum.js';
import { readJson } from '../common/files.js';
import { EMPTY_SUMS, type MeterSums } from './meter.js';

/** Where training stands. Random numbers are functions of these counters, so there is no generator to store. */
export interface TrainState {
  /** From 1. */
  epoch: number;
  /** Batches of the epoch that are done. */
  position: number;
  /** Updates done. */
  updates: number;
  /** Seconds of training so far. */
  seconds: number;
  /** Updates that were done at the latest validation; 0 before the first. */
  validatedAt: number;
  /** The best validation; scores where it was translated. */
  best: { loss: number; bleu?: number; chrf?: number; epoch: number; updates: number } | null;
  /** Validations since the best one. */
  validationsSinceBest: number;
  /** Of the updates since the last line of the metrics. */
  meter: Readonly<MeterSums>;
}

export const INITIAL_STATE: Readonly<TrainState> = {
  epoch: 1,
  position: 0,
  updates: 0,
  seconds: 0,
  validatedAt: 0,
  best: null,
  validationsSinceBest: 0,
  meter: EMPTY_SUMS,
};

/** What a checkpoint belongs to. */
export interface CheckpointOrigin {
  /** Hash of every setting that training cannot change on the way. */
  configHash: string;
  /** Hash of the training split. */
  dataHash: string;
  /** By language: symbols in the dictionary and hash of its file. */
  vocabulary: Readonly<Record<string, { size: number; hash: string }>>;
}

/** The content of state.json. */
export interface StateFile {
  origin: CheckpointOrigin;
  /** Learning rate of the next update. */
  lr: number;
  state: TrainState;
}

const FORMAT = 'admin-nmt/checkpoint';
/** Raised whenever a checkpoint of before cannot be gone on from. */
const VERSION = 1;

export function formatStateFile(content: StateFile): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...content }, null, 1)}\n`;
}

/**
 * Reads a state.json.
 *
 * @param expected what was written, to be compared with what is read
 * @throws DamageError for a file that is damaged, UserError for one of another version
 */
export function readStateFile(file: string, expected?: FileSum): StateFile {
  const found = readJson(file, 'the state of a checkpoint', 2 ** 20, expected);
  const hint = 'Go on from another checkpoint, or start with --restart.';
  const refuse = (problem: string): DamageError => new DamageError({ problem, where: file, hint });
  if (!isRecord(found) || found.format !== FORMAT) throw refuse(`expected a state.json of ${FORMAT}`);
  if (found.version !== VERSION) {
    const problem = `expected a checkpoint of version ${VERSION}, found version ${found.version}`;
    throw new UserError({ problem, where: file, hint });
  }
  if (!isOrigin(found.origin) || !isNumber(found.lr) || !isState(found.state)) {
    throw refuse('expected origin, lr and state of a checkpoint, found something incomplete');
  }
  const { origin, lr, state } = found;
  return { origin, lr, state: { ...INITIAL_STATE, ...state } }; // a state of before 0.2 has no sums
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

function isCount(value: unknown): value is number {
  return isNumber(value) && Number.isSafeInteger(value);
}

function isOrigin(value: unknown): value is CheckpointOrigin {
  return (
    isRecord(value) &&
    typeof value.configHash === 'string' &&
    typeof value.dataHash === 'string' &&
    isRecord(value.vocabulary) &&
    Object.values(value.vocabulary).every(
      (entry) => isRecord(entry) && isCount(entry.size) && typeof entry.hash === 'string',
    )
  );
}

const COUNTS = ['epoch', 'position', 'updates', 'validatedAt', 'validationsSinceBest'] as const;

function isSums(value: unknown): value is MeterSums {
  return isRecord(value) && Object.keys(EMPTY_SUMS).every((key) => isNumber(value[key]));
}

function isState(value: unknown): value is TrainState {
  if (!isRecord(value)) return false;
  const { best, seconds, meter = EMPTY_SUMS } = value;
  const isBest =
    best === null || (isRecord(best) && isNumber(best.loss) && isCount(best.epoch) && isCount(best.updates));
  return COUNTS.every((key) => isCount(value[key])) && isNumber(seconds) && isBest && isSums(meter);
}
