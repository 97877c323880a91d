import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { CHECKSUMS_FILE, expectedSum, readChecksums } from '../common/checksums.js';
import { DamageError, UserError, userErrorOf } from '../common/errors.js';
import { sumFile } from '../common/file-input.js';
import { checkSum } from '../common/file-sum.js';
import { examine, type Finding, ok, unverified } from '../common/findings.js';
import type { ModelConfig } from '../config/schema.js';
import { restoreWeights } from '../formats/reduced-weights.js';
import { type StoredArray, scanStored } from '../formats/safetensors.js';
import { constantNames, parameterSpecs, type VocabularySizes } from '../model/parameters.js';
import { checkWeights } from '../model/transformer.js';
import { MOMENT_NAMES, OPTIMIZER_FILE } from './checkpoint.js';
import { EMA_FILE, MODEL_FILE, STATE_FILE } from './checkpoint-folders.js';
import { readStateFile, type StateFile } from './state.js';

/** What a checkpoint is compared with; each part may be missing, where it is damaged itself. */
export interface CheckpointFrame {
  config?: ModelConfig;
  vocabulary?: VocabularySizes;
  /** Patterns of names that are not trained. */
  freeze?: readonly string[];
}

/**
 * Looks at all of a checkpoint, a tensor at a time: checksums, headers, shapes, finite numbers, state.
 *
 * @param compare further checks of the state. @returns what cannot be told, in words. @throws UserError
 * @returns what was found, and the state where it can be read
 */
export function checkCheckpoint(
  folder: string,
  { config, vocabulary, freeze }: CheckpointFrame,
  compare: (content: StateFile) => string | undefined = () => undefined,
): { findings: Finding[]; content?: StateFile } {
  let content: StateFile | undefined;
  const shapes = config && vocabulary && expectedShapes(config, vocabulary, freeze);
  const at = (name: string): string => path.join(folder, name);
  const weightFiles = [MODEL_FILE, ...(hasEma(folder) ? [EMA_FILE] : [])];
  const findings = [
    lookAtChecksums(folder),
    ...weightFiles.map((name) => lookAtWeights(folder, name, { config, vocabulary })),
    examine(at(OPTIMIZER_FILE), () => {
      const { found, detail } = scan(folder, OPTIMIZER_FILE);
      if (shapes !== undefined) checkMoments(found, shapes, at(OPTIMIZER_FILE));
      return judge(at(OPTIMIZER_FILE), detail, shapes !== undefined);
    }),
    examine(at(STATE_FILE), () => {
      requireFile(at(STATE_FILE));
      content = readStateFile(at(STATE_FILE), expected(folder, STATE_FILE));
      const doubt = compare(content);
      const { epoch, updates } = content.state;
      const detail = `epoch ${epoch}, ${updates} updates`;
      return doubt === undefined ? detail : unverified(at(STATE_FILE), `${detail}; ${doubt}`);
    }),
  ];
  return { findings, content };
}

/** Looks at weights that no training goes on from, and at what stands beside them. */
export function checkModel(folder: string, frame: CheckpointFrame): Finding[] {
  const others = namedIn(folder).filter((name) => name !== MODEL_FILE);
  return [
    lookAtChecksums(folder),
    lookAtWeights(folder, MODEL_FILE, frame),
    ...others.map((name) => {
      const file = path.join(folder, name);
      return examine(file, () => {
        requireFile(file);
        checkSum(file, sumFile(file), expectedSum(folder, name)!);
        return 'as it was written';
      });
    }),
  ];
}

/** Whether a folder holds, or should hold, a model without the state of a training: an average, for one. */
export function isModelAlone(folder: string): boolean {
  const named = namedIn(folder);
  const has = (name: string): boolean => named.includes(name) || existsSync(path.join(folder, name));
  return has(MODEL_FILE) && !has(STATE_FILE);
}

/** The names that have checksums; none where these are missing or damaged. */
function namedIn(folder: string): string[] {
  try {
    return Object.keys(readChecksums(folder)?.files ?? {});
  } catch (error) {
    userErrorOf(error);
    return [];
  }
}

function lookAtChecksums(folder: string): Finding {
  const file = path.join(folder, CHECKSUMS_FILE);
  return examine(file, () => {
    if (readChecksums(folder) !== undefined) return 'sums of every file';
    return unverified(file, 'there is none: bits that changed since it was written cannot be told');
  });
}

function lookAtWeights(folder: string, name: string, { config, vocabulary }: CheckpointFrame): Finding {
  const file = path.join(folder, name);
  return examine(file, () => {
    const { found, detail } = scan(folder, name);
    const known = config !== undefined && vocabulary !== undefined;
    if (known) checkWeights(config, vocabulary, found, file);
    return judge(file, detail, known);
  });
}

/** Whether a checkpoint has, or should have, a moving average of the weights. */
function hasEma(folder: string): boolean {
  return existsSync(path.join(folder, EMA_FILE)) || namedIn(folder).includes(EMA_FILE);
}

function judge(file: string, detail: string, shapesKnown: boolean): Finding {
  if (shapesKnown) return ok(file, detail);
  return unverified(
    file,
    `${detail}; its shapes are compared with nothing, for want of config.yaml or dictionaries`,
  );
}

type Shapes = Map<string, { shape: readonly number[] }>;

/** Reads a file of tensors to its end. @throws DamageError also for numbers that are not finite */
function scan(folder: string, name: string): { found: Shapes; detail: string } {
  const file = path.join(folder, name);
  requireFile(file);
  const found: Shapes = new Map();
  let numbers = 0;
  let strange: string | undefined;
  const reduced = new Map<string, StoredArray>();
  scanStored(file, expected(folder, name), (tensor, { shape, data }) => {
    found.set(tensor, { shape });
    numbers += data.length;
    // What has fewer bits is looked at as what it stands for.
    if (!(data instanceof Float32Array) || tensor.endsWith('_scale')) {
      reduced.set(tensor, { shape, data });
      return;
    }
    const i = data.findIndex((value) => !Number.isFinite(value));
    if (i !== -1) strange ??= `${data[i]} at ${i} of '${tensor}'`;
  });
  const restored = restoreWeights(reduced, file);
  for (const tensor of reduced.keys()) if (!restored.has(tensor)) found.delete(tensor);
  if (strange !== undefined) {
    throw new DamageError({ problem: `expected finite numbers, found ${strange}`, where: file });
  }
  return { found, detail: `${found.size} tensors, ${numbers} finite numbers` };
}

function requireFile(file: string): void {
  if (!existsSync(file)) throw new DamageError({ problem: 'no such file', where: file });
}

/** The sum of a file; undefined where checksums.json is missing, or damaged: that is reported by itself. */
function expected(folder: string, name: string): ReturnType<typeof expectedSum> {
  try {
    return expectedSum(folder, name);
  } catch (error) {
    userErrorOf(error);
    return undefined;
  }
}

/** Shapes of the trained weights by name. */
function expectedShapes(
  config: ModelConfig,
  vocabulary: VocabularySizes,
  freeze?: readonly string[],
): Shapes {
  const constants = constantNames(config, vocabulary, freeze);
  const trained = parameterSpecs(config, vocabulary).filter(({ name }) => !constants.has(name));
  return new Map(trained.map(({ name, shape }) => [name, { shape }]));
}

function checkMoments(found: Shapes, weights: Shapes, where: string): void {
  const wanted = Object.values(MOMENT_NAMES).flatMap((moment) =>
    [...weights].map(([name, { shape }]): [string, readonly number[]] => [`${moment}.${name}`, shape]),
  );
  for (const [name, shape] of wanted) {
    const other = found.get(name)?.shape;
    if (String(other) === String(shape)) continue;
    const problem = `expected '${name}' of shape [${shape}], found ${other === undefined ? 'none' : `[${other}]`}`;
    throw new UserError({ problem, where });
  }
}
