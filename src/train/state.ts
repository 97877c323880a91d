import { DamageError } from '../common/errors.js';
import type { FileSum } from '../common/file-sum.js';
import { readJson } from '../common/files.js';
import { refuseNewer } from '../common/format-version.js';
import type { BestValidation } from './bests.js';
import { type DoctorState, INITIAL_DOCTOR, isDoctorState } from './doctor/state.js';
import { isLossScale, type LossScale } from './loss-scale.js';
import { EMPTY_SUMS, type MeterSums } from './meter.js';
import type { RunSettings } from './run-settings.js';

/** Where training stands. Random numbers are functions of these counters, so there is no generator to store. */
export interface TrainState {
  /** From 1. */
  epoch: number;
  /** Batches of the epoch that are done. */
  position: number;
  /** Updates done. */
  updates: number;
  /** Steps of the optimizer less `updates`: not 0 where fine-tuning began with a reset of one of the two. */
  optimizerAhead: number;
  /** Seconds of training so far. */
  seconds: number;
  /** Updates that were done at the latest validation; 0 before the first. */
  validatedAt: number;
  /** Seconds of training at that. */
  validatedSeconds: number;
  /** The best validations, the best first. */
  bests: readonly BestValidation[];
  /** Validations since the best one. */
  validationsSinceBest: number;
  /** Of the updates since the last line of the metrics. */
  meter: Readonly<MeterSums>;
  /** Under float16 alone. Never changed in place. */
  lossScale?: Readonly<LossScale>;
  /** Never changed in place. */
  doctor: Readonly<DoctorState>;
}

export const INITIAL_STATE: Readonly<TrainState> = {
  epoch: 1,
  position: 0,
  updates: 0,
  optimizerAhead: 0,
  seconds: 0,
  validatedAt: 0,
  validatedSeconds: 0,
  bests: [],
  validationsSinceBest: 0,
  meter: EMPTY_SUMS,
  doctor: INITIAL_DOCTOR,
};

/** What a checkpoint belongs to. */
export interface CheckpointOrigin {
  /** What it was trained with. Null in a checkpoint of version 1: it is the config.yaml of its run. */
  settings: RunSettings | null;
  /** Hash of the training split. */
  dataHash: string;
  /** By language: symbols in the dictionary and hash of its file. */
  vocabulary: Readonly<Record<string, { size: number; hash: string }>>;
  /** What the run started from, where that was another model. */
  initFrom?: InitialWeights;
  /** What computed it, as `native avx2`: it decides the bits. Absent in checkpoints from before it was kept. */
  engine?: string;
}

/** The weights that a run started from. */
export interface InitialWeights {
  /** The checkpoint or average, as it was found. */
  path: string;
  /** Updates that it was trained for; null for an average. */
  updates: number | null;
  /** Of its weights' file. */
  sha256: string;
}

/** The content of state.json. */
export interface StateFile {
  origin: CheckpointOrigin;
  /** Learning rate of the next update. */
  lr: number;
  state: TrainState;
}

const FORMAT = 'admin-nmt/checkpoint';
/** Raised whenever programs of before would misread a checkpoint. Version 1 had a hash in place of the settings. */
const VERSION = 2;

export function formatStateFile(content: StateFile): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...content }, null, 1)}\n`;
}

/**
 * Reads a state.json, of this version or before.
 *
 * @param expected what was written, to be compared with what is read
 * @throws DamageError for a file that is damaged, UserError for one of a later version
 */
export function readStateFile(file: string, expected?: FileSum): StateFile {
  const found = readJson(file, 'the state of a checkpoint', 2 ** 20, expected);
  const hint = 'Go on from another checkpoint, or start with --restart.';
  const refuse = (problem: string): DamageError => new DamageError({ problem, where: file, hint });
  if (!isRecord(found) || found.format !== FORMAT) throw refuse(`expected a state.json of ${FORMAT}`);
  refuseNewer(found.version, VERSION, 'a checkpoint', file);
  const state = found.version === 1 ? upgrade(found.state) : found.state;
  if (
    !isCount(found.version) ||
    !isOrigin(found.origin, found.version) ||
    !isNumber(found.lr) ||
    !isState(state)
  ) {
    throw refuse('expected origin, lr and state of a checkpoint, found something incomplete');
  }
  const { settings = null, dataHash, vocabulary, initFrom, engine } = found.origin;
  const origin = { settings, dataHash, vocabulary, ...(initFrom && { initFrom }), ...(engine && { engine }) };
  return { origin, lr: found.lr, state };
}

/** A state of version 1 knew one best validation and, at first, no sums. */
function upgrade(state: unknown): unknown {
  if (!isRecord(state)) return state;
  const { best, ...rest } = state;
  const meter = { ...EMPTY_SUMS, ...(isRecord(rest.meter) ? rest.meter : {}) };
  return { ...INITIAL_STATE, bests: best === null ? [] : [best], ...rest, meter };
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

function isOrigin(value: unknown, version: number): value is CheckpointOrigin {
  return (
    isRecord(value) &&
    (version === 1 || isRecord(value.settings)) &&
    isRecord(value.initFrom ?? {}) &&
    typeof (value.engine ?? '') === 'string' &&
    typeof value.dataHash === 'string' &&
    isRecord(value.vocabulary) &&
    Object.values(value.vocabulary).every(
      (entry) => isRecord(entry) && isCount(entry.size) && typeof entry.hash === 'string',
    )
  );
}

const COUNTS = ['epoch', 'position', 'updates', 'validatedAt', 'validationsSinceBest'] as const;

function isSums(value: unknown): value is MeterSums {
  if (!isRecord(value)) return false;
  const keys = [...Object.keys(EMPTY_SUMS), ...('alignment' in value ? ['alignment'] : [])];
  return keys.every((key) => isNumber(value[key]));
}

function isBest(value: unknown): value is BestValidation {
  return isRecord(value) && isNumber(value.loss) && isCount(value.epoch) && isCount(value.updates);
}

function isState(value: unknown): value is TrainState {
  if (!isRecord(value)) return false;
  const { bests, seconds, meter, validatedSeconds, optimizerAhead, lossScale, doctor } = value;
  return (
    COUNTS.every((key) => isCount(value[key])) &&
    isNumber(seconds) &&
    isNumber(validatedSeconds) &&
    Number.isSafeInteger(optimizerAhead) &&
    Array.isArray(bests) &&
    bests.every(isBest) &&
    isSums(meter) &&
    (lossScale === undefined || isLossScale(lossScale)) &&
    isDoctorState(doctor)
  );
}
