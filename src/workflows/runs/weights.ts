import { existsSync, realpathSync } from 'node:fs';
import * as path from 'node:path';
import type { ModelConfig } from '../../config/schema.js';
import { WEIGHTS_FILE } from '../../decode/checkpoint-location.js';
import type { NamedArray } from '../../formats/safetensors.js';
import { readWeights } from '../../formats/weights-file.js';
import { matricesOf } from '../../model/matrices.js';
import { analyticOmega, type OmegaValues } from '../../model/omega.js';
import { PROFILE_FILE, readOmega } from '../../model/profile-file.js';
import { layerPrefix, omegaName, STACKS, type Stack, SUBLAYERS, sitesOf } from '../../model/scheme.js';
import type { RunWeights, SublayerOmega, WeightNorm } from '../../report/training-run.js';
import { LAST_CHECKPOINT } from '../../train/checkpoint-folders.js';

type Tensors = ReadonlyMap<string, NamedArray>;

/** Where the latest checkpoint of a run lies; undefined before the first. */
export function lastCheckpoint(run: string): string | undefined {
  const link = path.join(run, LAST_CHECKPOINT);
  return existsSync(path.join(link, WEIGHTS_FILE)) ? realpathSync(link) : undefined;
}

/**
 * ω and norms of the weights of a checkpoint.
 *
 * @throws UserError for one that is damaged
 */
export function readRunWeights(run: string, checkpoint: string, model: ModelConfig): RunWeights {
  const tensors = readWeights(checkpoint, WEIGHTS_FILE);
  let parameters = 0;
  for (const { data } of tensors.values()) parameters += data.length;
  return {
    checkpoint: path.basename(checkpoint),
    parameters,
    omega: omegaOf(tensors, model, startOf(run, model)),
    norms: STACKS.flatMap((stack) => normsOf(tensors, model, stack)),
  };
}

/** ω before training; null where it cannot be told. */
function startOf(run: string, model: ModelConfig): OmegaValues | null {
  if (model.omega.init === 'analytic') return analyticOmega(model);
  const file = path.join(run, PROFILE_FILE);
  return existsSync(file) ? readOmega(file, model) : null;
}

function omegaOf(tensors: Tensors, model: ModelConfig, start: OmegaValues | null): SublayerOmega[] {
  return STACKS.flatMap((stack) =>
    sitesOf(model, stack).flatMap((site, i) => {
      const omega = tensors.get(omegaName(site));
      return omega === undefined
        ? []
        : [{ ...site, start: start?.[stack][i] ?? null, ...spreadOf(omega.data) }];
    }),
  );
}

/** Mean, standard deviation and range of the components of a vector. */
function spreadOf(values: Float32Array): Pick<SublayerOmega, 'mean' | 'deviation' | 'least' | 'most'> {
  let [sum, least, most] = [0, Infinity, -Infinity];
  for (const value of values) {
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length), least, most };
}

function normsOf(tensors: Tensors, model: ModelConfig, stack: Stack): WeightNorm[] {
  return Array.from({ length: model[stack].layers }, (_, layer) =>
    SUBLAYERS[stack].flatMap((sublayer) =>
      matricesOf(sublayer).flatMap(([part, names]) => {
        const found = names.flatMap((name) => tensors.get(layerPrefix(stack, layer) + name) ?? []);
        return found.length === 0 ? [] : [{ stack, layer, part, norm: normOf(found) }];
      }),
    ),
  ).flat();
}

/** Frobenius norm of matrices as if they were one. */
function normOf(matrices: readonly NamedArray[]): number {
  let squares = 0;
  for (const { data } of matrices) for (const value of data) squares += value * value;
  return Math.sqrt(squares);
}
