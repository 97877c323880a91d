import type { ModelConfig, TrainConfig } from '../../config/schema.js';
import type { Batch } from '../../data/batch.js';
import type { SublayerDependency } from '../../model/dependency.js';
import { lossGradients } from '../../model/loss-gradients.js';
import type { NonFinite } from '../../model/non-finite.js';
import { placeOfParameter } from '../../model/site-names.js';
import type { Transformer } from '../../model/transformer.js';
import { globalNormValue } from '../../ops/optimizer.js';
import { tf } from '../../ops/tf.js';
import type { History } from './state.js';
import type { SilentFailure } from './watch.js';

/** What a bad update comes from, as far as it can be told. */
export interface Diagnosis {
  /**
   * A weight that is not finite; the model, where another batch fails too; this batch, where another one does not;
   * unknown, where there is no other one, or the failure does not come again.
   */
  cause: 'weight' | 'model' | 'batch' | 'unknown';
  /** The first tensor that is not finite; null where the failure does not come again. */
  first: NonFinite | null;
  /** Pairs of the batch, by their index in the training split. */
  pairs: number[];
}

/** Norms of a layer, of the embeddings of a stack, or of the output projection; NaN where a value is not finite. */
export interface PartNorms {
  part: string;
  weight: number;
  /** Of the gradient for each token, of one batch. */
  gradient: number;
}

/** Everything that a report tells and advice follows from. */
export interface Facts {
  failure: 'non-finite' | SilentFailure;
  update: number;
  /** Learning rate of the update. */
  lr: number;
  /** Where the failure is not silent. */
  diagnosis: Diagnosis | null;
  /** Loss of a model that knows the frequencies of words alone, in bits; where the failure is silent. */
  unigram: number | null;
  history: History;
  /** Target tokens of the update. */
  tokens: number;
  norms: PartNorms[];
  dependencies: SublayerDependency[];
  train: TrainConfig;
  model: ModelConfig;
}

/** The norms of the parts of a model, in the order of the forward pass. */
export async function measureNorms(
  model: Transformer,
  batch: Batch,
  labelSmoothing: number,
  training: { seed: number; step: number },
): Promise<PartNorms[]> {
  const found = lossGradients(model, model.trainable, batch, labelSmoothing, training);
  const { gradients } = found;
  try {
    const trained = [...model.weights].filter(([, { trainable }]) => trainable);
    const gradientOf = new Map(trained.map(([name], i) => [name, gradients[i]]));
    const names = [...model.weights.keys()];
    const norms: PartNorms[] = [];
    for (const part of new Set(names.map(partOf))) {
      const members = names.filter((name) => partOf(name) === part);
      const gradient = await globalNormValue(members.flatMap((name) => gradientOf.get(name) ?? []));
      norms.push({
        part,
        weight: await globalNormValue(members.map((name) => model.weights.get(name)!)),
        gradient: gradient / batch.targetOutput.length,
      });
    }
    return norms;
  } finally {
    tf.dispose({ ...found });
  }
}

function partOf(name: string): string {
  const { stack, layer } = placeOfParameter(name);
  if (layer !== null) return `${stack} layer ${layer}`;
  return name.includes('embed_out')
    ? 'output projection'
    : name.includes('embed')
      ? `${stack} embeddings`
      : `${stack} norm`;
}
