import { shared } from '../backend/native/shared-memory.js';
import type { Precision } from '../common/precision.js';
import type { ModelConfig } from '../config/schema.js';
import { type LinearParts, PreparedLinear } from '../ops/prepared-linear.js';
import { tf } from '../ops/tf.js';
import { ForcedDecoder } from './forced-decoder.js';
import { IncrementalDecoder } from './incremental.js';
import { outputName, tableNames, type VocabularySizes } from './parameters.js';
import { PreparedLinears } from './pass.js';
import type { Candidates } from './restricted-output.js';
import type { Transformer, WeightValues } from './transformer.js';

/** A model as threads decode with it: all numbers once, in memory that they share. */
export interface SharedDecoder {
  readonly config: ModelConfig;
  readonly vocabulary: VocabularySizes;
  readonly precision: Precision;
  /** Those that are no linear maps. */
  readonly weights: ReadonlyMap<string, WeightValues>;
  readonly maps: ReadonlyMap<string, LinearParts>;
}

/** Takes what decoding needs of a model to shared memory; the weights of linear maps in packed form alone. */
export async function shareModel(
  model: Transformer,
  precision: Precision,
  restricted: boolean,
): Promise<SharedDecoder> {
  const { config, vocabulary } = model;
  const maps = new Map<string, LinearParts>();
  const own = new PreparedLinears((map) => map.moved(shared));
  const decoder = new IncrementalDecoder(model, precision, undefined, own);
  await decoder.prepare();
  for (const [name, map] of own) maps.set(name, await map.parts());
  decoder.dispose();
  const weights = new Map<string, WeightValues>();
  for (const name of namesBesideMaps(model, restricted)) {
    const tensor = shared(model.weights.get(name)!);
    weights.set(name, { shape: tensor.shape, data: await tensor.data<'float32'>() });
    tensor.dispose();
  }
  return { config, vocabulary, precision, weights, maps };
}

/** A decoder on this thread, and one of what is given, which read the shared numbers. */
export function decoderOf(
  { config, vocabulary, precision, weights, maps }: SharedDecoder,
  candidates?: Candidates,
): { decoder: IncrementalDecoder; forced: ForcedDecoder; dispose: () => void } {
  const tensors = new Map([...weights].map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]));
  const prepared = new PreparedLinears();
  for (const [name, parts] of maps) prepared.get(name, () => PreparedLinear.from(parts));
  const model = { config, vocabulary, weights: tensors };
  const decoder = new IncrementalDecoder(model, precision, candidates, prepared);
  const forced = new ForcedDecoder(model, precision, prepared);
  const dispose = () => {
    decoder.dispose();
    tf.dispose([...tensors.values()]);
  };
  return { decoder, forced, dispose };
}

/** Vectors, and tables whose rows are read one by one. */
function namesBesideMaps({ config, weights }: Transformer, restricted: boolean): string[] {
  const tables = tableNames(config);
  if (restricted) tables.add(outputName(config));
  return [...weights.keys()].filter((name) => weights.get(name)!.rank !== 2 || tables.has(name));
}
