import { type ChosenBackend, initBackend } from '../backend/init.js';
import { isInstalled } from '../backend/webgpu/adapter.js';
import { mayHaveCard } from '../backend/webgpu/driver-files.js';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { isShare } from '../common/memory-limit.js';
import type { Config } from '../config/schema.js';
import { type Card, cardOf, keepVerdict, readVerdict } from './self-test/verdicts.js';

/** What is asked of the machine. */
export interface Machine {
  /** Whether there may be a graphics card that can be used: costs next to nothing. */
  mayHaveCard(): boolean;
  /** Starts an engine. @throws UserError where it is not there */
  start: typeof initBackend;
  cardOf(backend: ChosenBackend): Card | null;
  /** Whether a card computes right, as far as that is known already. */
  verdictOn(card: Card): boolean | null;
  test(backend: ChosenBackend): Promise<{ right: boolean }>;
  keep(card: Card, right: boolean): void;
}

const MACHINE: Machine = {
  mayHaveCard: () => isInstalled() && mayHaveCard(),
  start: initBackend,
  cardOf,
  verdictOn: readVerdict,
  test: async (backend) => (await import('./self-test/self-test.js')).testCorrectness(backend),
  keep: keepVerdict,
};

/** Precisions that WebGPU has not on any card. */
const NEVER = ['bfloat16', 'int8'];

/**
 * Starts the engine that trains. `auto` takes a graphics card that computes right, which is found out once for each card,
 * driver and version of this program; else what initBackend takes. A driver in software is never taken, nor a card where
 * something is asked for that no card has.
 *
 * @throws UserError as initBackend
 */
export async function chooseBackend(config: Asking, machine: Machine = MACHINE): Promise<ChosenBackend> {
  const { backend, threads, gpu } = config;
  if (backend !== 'auto' || !machine.mayHaveCard()) return machine.start(backend, threads, gpu);
  const found = obstacle(config) ?? (await startCard(gpu, config.train.precision, machine));
  if (typeof found !== 'string') return found;
  const other = await machine.start('auto', threads, gpu);
  return { ...other, reason: `${other.reason}; webgpu: ${found}` };
}

type Asking = Pick<Config, 'backend' | 'threads' | 'gpu' | 'train' | 'decode'>;

/** What of a config speaks against any card, unless one is named. */
function obstacle({ threads, gpu, train, decode }: Asking): string | undefined {
  const precisions = train.evalBleu ? [train.precision, decode.precision] : [train.precision];
  const lacking = precisions.find((precision) => NEVER.includes(precision));
  if (lacking !== undefined) return `it has no ${lacking}`;
  if (train.maxTokens === 'auto' && isShare(train.memory))
    return `it does not tell what ${train.memory} of its memory are, as train.max-tokens auto needs`;
  return threads !== null && gpu === null ? 'threads are given' : undefined;
}

/** @returns the engine, or why it is not taken */
async function startCard(
  gpu: string | null,
  precision: string,
  machine: Machine,
): Promise<ChosenBackend | string> {
  try {
    const backend = await machine.start('webgpu', null, gpu);
    const card = machine.cardOf(backend)!;
    if (card.software) return `${card.name} computes on the processor`;
    if (precision !== 'float32' && !Object.hasOwn(backend.precisions, precision))
      return `${card.name} has no ${precision}`;
    return (await isRight(backend, card, machine))
      ? backend
      : `${card.name} fails the self-test: admin-nmt check --backend webgpu`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.complaints[0].problem.replace(/^the backend 'webgpu' is not available: /, '');
  }
}

async function isRight(backend: ChosenBackend, card: Card, machine: Machine): Promise<boolean> {
  const known = machine.verdictOn(card);
  if (known !== null) return known;
  log.info(`Testing the graphics card ${card.name}, this once …`);
  const { right } = await machine.test(backend);
  machine.keep(card, right);
  return right;
}
