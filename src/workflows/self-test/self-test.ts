import { arch, cpus, platform, release } from 'node:os';
import process from 'node:process';
import { type BackendName, type ChosenBackend, initBackend } from '../../backend/init.js';
import { type DriverFiles, lookForDrivers } from '../../backend/webgpu/driver-files.js';
import { type Complaint, UserError, WrongResultsError } from '../../common/errors.js';
import { packageVersion } from '../../common/files.js';
import { log } from '../../common/log.js';
import { type Comparison, compareWithReference } from './correctness.js';
import { measureSpeed, type Speed } from './speed.js';
import { type Card, cardOf, keepVerdict } from './verdicts.js';

/** Which engine to test. */
export interface Asked {
  backend: BackendName;
  /** Number of the card or part of its name; null for the fastest. */
  gpu: string | null;
  threads: number | null;
}

/** Whether what an engine computes is right. */
export interface Correctness {
  right: boolean;
  comparisons: readonly Comparison[];
  /** Why it ended before all was compared; null where it did not. */
  failure: string | null;
  seconds: number;
}

/** What an engine is, whether it computes right, and how fast. */
export interface SelfTest {
  format: 'admin-nmt/self-test';
  version: 1;
  program: { version: string; node: string; system: string; processor: string; processors: number };
  asked: Asked;
  backend: Pick<ChosenBackend, 'name' | 'reason' | 'engine' | 'precisions'> | null;
  /** Of WebGPU. */
  card: Card | null;
  /** What Linux shows of cards and drivers, for WebGPU. */
  driver: DriverFiles | null;
  /** Why there is no such backend. */
  missing: Complaint | null;
  correctness: Correctness | null;
  speed: Speed | null;
}

/** Seconds to spend on speed. */
const SECONDS = { card: 40, software: 8 };

/**
 * `admin-nmt check --backend`: what is seen of an engine and its device, what it computes compared with the reference, and
 * how fast it is.
 *
 * @param seconds to spend on speed; by default as many as the device is worth
 */
export async function selfTest(asked: Asked, seconds?: number): Promise<SelfTest> {
  const report: SelfTest = {
    ...({ format: 'admin-nmt/self-test', version: 1, program: programFacts(), asked } as const),
    driver: asked.backend === 'webgpu' ? lookForDrivers() : null,
    ...{ backend: null, card: null, missing: null, correctness: null, speed: null },
  };
  let backend: ChosenBackend;
  try {
    backend = await initBackend(asked.backend, asked.threads, asked.gpu);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...report, missing: error.complaints[0] };
  }
  const { name, reason, engine, precisions } = backend;
  report.backend = { name, reason, engine, precisions };
  report.card = cardOf(backend);
  log.info(`Backend: ${name} (${reason})`);
  log.info('Comparing what it computes with the reference …');
  report.correctness = await testCorrectness(backend);
  if (report.card?.software === false) keepVerdict(report.card, report.correctness.right);
  if (!report.correctness.right) return report;
  log.info('Measuring how fast it is …');
  const most = report.card?.software === true ? SECONDS.software : SECONDS.card;
  report.speed = await measureSpeed(backend, seconds ?? most);
  return report;
}

/** Compares a backend with the reference; one that fails on the way is wrong. */
export async function testCorrectness(backend: ChosenBackend): Promise<Correctness> {
  const started = performance.now();
  let comparisons: readonly Comparison[] = [];
  let failure: string | null = null;
  try {
    comparisons = await compareWithReference(backend);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    failure = error.complaints[0].problem;
  }
  const right = failure === null && comparisons.every((comparison) => comparison.right);
  return { right, comparisons, failure, seconds: (performance.now() - started) / 1000 };
}

/** @throws UserError where there is no such engine, WrongResultsError where it is wrong */
export function refuseWrong({ missing, correctness, asked }: SelfTest): void {
  if (missing !== null) throw new UserError(missing);
  if (correctness === null || correctness.right) return;
  const wrong = correctness.comparisons.filter(({ right }) => !right).map(({ what }) => what);
  throw new WrongResultsError(
    `${asked.backend}: ${correctness.failure ?? `wrong results: ${wrong.join('; ')}`}\n  Do not train with it. Try another driver, and send us what \`admin-nmt check --backend ${asked.backend} --json\` prints.`,
  );
}

function programFacts(): SelfTest['program'] {
  const processors = cpus();
  return {
    ...{ version: packageVersion(), node: process.version },
    system: `${platform()} ${arch()} ${release()}`,
    ...{ processor: processors[0]?.model ?? 'unknown', processors: processors.length },
  };
}
