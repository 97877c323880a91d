import type { ChosenBackend } from '../../backend/init.js';
import type { Communicator } from '../../common/communicator.js';
import { UserError } from '../../common/errors.js';
import { log } from '../../common/log.js';
import { configKeys } from '../../config/keys.js';
import { valueAt } from '../../config/paths.js';
import type { Config, WrittenConfig } from '../../config/schema.js';
import { agree } from '../../distributed/agree.js';
import type { Network } from '../../distributed/cost-model.js';
import { measureNetwork } from '../../distributed/measure-network.js';
import { describeRanks, threadsOfRanks } from '../../distributed/processors.js';
import { isInMemory } from '../../ops/in-place.js';
import type { TrainingData } from './data.js';
import type { Configured } from './settle-batch.js';

/** The processes of a training. */
export interface Together {
  communicator: Communicator;
}

/**
 * A config as it is for all ranks: an update has the batches of all of them, so that any number may go on from its
 * checkpoints. Where the config leaves the threads open, they are those that this rank may have.
 */
export function ofAllRanks({ config, written }: Configured, communicator: Communicator): Configured {
  const { rank, size } = communicator;
  if (size === 1) return { config, written };
  const updateFreq = size * config.train.updateFreq;
  const shares = threadsOfRanks(communicator).map((share) => config.threads ?? share);
  const threads = shares[rank];
  log.info(`Ranks: ${describeRanks(communicator, shares)}`);
  return {
    config: { ...config, threads, train: { ...config.train, updateFreq } },
    written: { ...written, train: { ...written.train, 'update-freq': updateFreq } },
  };
}

/** Of how many ranks a dry run tells what they would gain, and what was found of those that there are. */
export interface Forecast {
  ranks: number;
  /** What lies between them. */
  measured?: Network;
  /** Threads of this one. */
  threads?: number;
}

/**
 * What a dry run is to tell of several ranks: of those that there are, or as many as are asked for. All of them call it.
 *
 * @returns undefined where there is one, and none is asked for
 */
export function forecastFor(communicator: Communicator, asked?: number): Forecast | undefined {
  const { rank, size } = communicator;
  if (size === 1) return asked === undefined ? undefined : { ranks: asked };
  const shares = threadsOfRanks(communicator);
  return { ranks: asked ?? size, measured: measureNetwork(communicator), threads: shares[rank] };
}

/** @throws UserError where ranks cannot sum in the memory of the backend's tensors */
function refuseDevices({ name }: ChosenBackend): void {
  if (isInMemory()) return;
  throw new UserError({
    problem: `expected a backend whose tensors are in the memory of the process, where several ranks sum; found ${name}`,
    where: 'backend',
    hint: 'Use --backend native, or one process.',
  });
}

/** Keys that each host may have a value of its own of. */
const OF_A_HOST: readonly string[] = ['threads'];

/**
 * Compares what ranks train with before anything is made or written: the config as it was given, and the engine.
 *
 * @throws UserError where they would not train the same
 */
export function agreeOnTraining(
  communicator: Communicator,
  written: WrittenConfig,
  backend: ChosenBackend,
): void {
  if (communicator.size === 1) return;
  refuseDevices(backend);
  const keys = [...configKeys.keys()].filter((key) => !OF_A_HOST.includes(key));
  const values = keys.map((key) => [key, JSON.stringify(valueAt(written, key) ?? null)]);
  agree(communicator, { 'the engine': backend.engine, ...Object.fromEntries(values) });
}

/**
 * Compares the data that ranks have found or made, before training is planned.
 *
 * @param checkpoint what they go on from, if anything
 * @throws UserError where they are not the same
 */
export function agreeOnData(
  communicator: Communicator,
  { data: { sourceLang, targetLang } }: Config,
  { hash, valid, source, target }: TrainingData,
  checkpoint: string | null,
): void {
  agree(communicator, {
    'the training data': hash,
    'the validation data': valid?.hash ?? 'none',
    [`the dictionary of ${sourceLang}`]: source.hash,
    [`the dictionary of ${targetLang}`]: target.hash,
    'the last checkpoint of the run': checkpoint ?? 'none',
  });
}
