import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { before, describe } from 'node:test';
import { BACKENDS, type BackendName, initBackend } from '../../src/backend/init.js';
import { UserError } from '../../src/common/errors.js';
import { packageRoot } from '../../src/common/files.js';

/** Backends to leave to another run of the tests, which are as if they were not there (see instruction-sets.test.ts). */
const leftOut = process.env.ADMIN_NMT_TEST_WITHOUT?.split(',') ?? [];

/** The graphics card in software that scripts/software-gpu.mjs has got, unless the environment names a card. */
const softwareGpu = path.join(packageRoot(), '.software-gpu', 'vk_swiftshader_icd.json');
if (process.env.ADMIN_NMT_GPU === undefined && existsSync(softwareGpu)) {
  process.env.VK_ICD_FILENAMES = softwareGpu;
  process.env.ADMIN_NMT_GPU = 'swiftshader';
}

/** Why a backend cannot be used here, or null where it can. */
async function obstacle(name: BackendName): Promise<string | null> {
  if (leftOut.includes(name)) return 'left to another run';
  if (name === 'webgpu') return graphicsObstacle();
  try {
    await initBackend(name);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.complaints[0].problem;
    throw error;
  }
}

/** Nothing is opened here: most processes have no use for a graphics card. */
async function graphicsObstacle(): Promise<string | null> {
  if (process.env.ADMIN_NMT_GPU === undefined)
    return 'no graphics card in software is here (node scripts/software-gpu.mjs), and ADMIN_NMT_GPU names none';
  try {
    await import('webgpu');
    return null;
  } catch (error) {
    return `the package webgpu does not load: ${(error as Error).message.split('\n')[0]}`;
  }
}

const obstacles = new Map<BackendName, string | null>();
for (const name of BACKENDS) obstacles.set(name, await obstacle(name));

/** The backends that can be used here, in order of preference; cpu and wasm are always among them. */
export const availableBackends = BACKENDS.filter((name) => obstacles.get(name) === null);

/** Those for tests of whole models: a graphics card in software takes minutes for what the others do in seconds. */
export const quickBackends = availableBackends.filter((name) => name !== 'webgpu');

/** Runs a suite on every backend of the program; one that is not there is skipped with the reason. */
export function onEachBackend(suite: (backend: BackendName) => void): void {
  for (const name of BACKENDS) {
    describe(`on ${name}`, { skip: obstacles.get(name) ?? false }, () => {
      before(() => initBackend(name));
      suite(name);
    });
  }
}

/** What `make` gives on each backend that can be used, by name. */
export async function onAllBackends<T>(make: () => T): Promise<Map<BackendName, T>> {
  const results = new Map<BackendName, T>();
  for (const name of availableBackends) {
    await initBackend(name);
    results.set(name, make());
  }
  return results;
}
