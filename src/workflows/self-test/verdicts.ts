import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ChosenBackend } from '../../backend/init.js';
import type { WebGpuBackend } from '../../backend/webgpu/backend.js';
import type { CardFacts } from '../../backend/webgpu/protocol.js';
import { cacheFolder } from '../../common/cache-folder.js';
import { userErrorOf } from '../../common/errors.js';
import { packageVersion, writeFileAtomic } from '../../common/files.js';
import { tf } from '../../ops/tf.js';

/** What a graphics card is. */
export type Card = CardFacts & { name: string; software: boolean };

/** What WebGPU tells of the card; null for other backends. */
export function cardOf({ name }: ChosenBackend): Card | null {
  if (name !== 'webgpu') return null;
  const { facts } = (tf.backend() as WebGpuBackend).device;
  return { name: facts.name, software: facts.software, ...facts.card };
}

/** Where the verdicts on cards are kept. */
export const verdictFile = (): string => path.join(cacheFolder(), 'cards.json');

/** Whether a card computed right; null where that is not known. */
export function readVerdict(card: Card, file = verdictFile()): boolean | null {
  const found = verdictsIn(file)[keyOf(card)];
  return typeof found === 'boolean' ? found : null;
}

/** Keeps a verdict. Where it cannot be written, the card is tested again the next time. */
export function keepVerdict(card: Card, right: boolean, file = verdictFile()): void {
  try {
    const all = { ...verdictsIn(file), [keyOf(card)]: right };
    writeFileAtomic(file, `${JSON.stringify(all, null, 2)}\n`);
  } catch (error) {
    userErrorOf(error); // a bug is thrown on
  }
}

/** What the results may depend on: the card with its driver, the package, this program. */
const keyOf = ({ name, package: binding }: Card): string =>
  `${name}; webgpu ${binding}; admin-nmt ${packageVersion()}`;

/** Nothing where the file is not there or is not one. */
function verdictsIn(file: string): Record<string, unknown> {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8'));
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? found : {};
  } catch {
    return {};
  }
}
