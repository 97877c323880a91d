import type { Batch } from '../data/batch.js';
import { globalNormValue } from '../ops/optimizer.js';
import { readAndDispose } from '../ops/reading.js';
import { tf } from '../ops/tf.js';
import { lossGradients } from './loss-gradients.js';
import type { Mode } from './pass.js';
import { type Site, STACKS, sitesOf } from './scheme.js';
import { describePlace, type ParameterPlace, placeOfParameter } from './site-names.js';
import type { Transformer } from './transformer.js';
import { type Look, watchForward } from './watch-forward.js';

/** The first tensor of a pass that holds NaN or an infinity. */
export interface NonFinite {
  side: 'forward' | 'backward';
  /**
   * A weight, before anything is computed; the embeddings of a stack; the branch of a sublayer, dropout included; its
   * output, sum and norm; the loss; the gradient of a parameter, or its norm.
   */
  what: 'weight' | 'embeddings' | 'branch' | 'output' | 'loss' | 'gradient';
  /** Null for the loss. */
  place: ParameterPlace | null;
  /** Official name, of a weight or of what a gradient belongs to. */
  parameter: string | null;
}

/**
 * Looks for the first value that is not finite where a batch goes through the model: in the weights, then in the order of
 * the forward pass, then in the gradients in the order of the backward pass.
 *
 * @returns null where all is finite
 */
export async function findNonFinite(
  model: Transformer,
  batch: Batch,
  labelSmoothing: number,
  training: Mode['training'],
): Promise<NonFinite | null> {
  return (
    (await findInWeights(model)) ??
    (await findInForward(model, batch, labelSmoothing, training)) ??
    (await findInBackward(model, batch, labelSmoothing, training))
  );
}

/** In words: what, where, which side. */
export function describeNonFinite({ side, what, place, parameter }: NonFinite): string {
  if (place === null) return `the loss (${side})`;
  const where = describePlace(place);
  if (what === 'weight') return `the weight ${parameter} (${where})`;
  if (what === 'gradient') return `${where}: the gradient of ${parameter} (${side})`;
  return `${where}: the ${what} (${side})`;
}

async function allFinite(tensor: tf.Tensor): Promise<boolean> {
  return (await tensor.data<'float32'>()).every(Number.isFinite);
}

async function findInWeights({ weights }: Transformer): Promise<NonFinite | null> {
  for (const [parameter, weight] of weights) {
    if (await allFinite(weight)) continue;
    return { side: 'forward', what: 'weight', place: placeOfParameter(parameter), parameter };
  }
  return null;
}

async function findInForward(
  model: Transformer,
  batch: Batch,
  labelSmoothing: number,
  training: Mode['training'],
): Promise<NonFinite | null> {
  let found: NonFinite | null = null;
  let before: Site | null = null;
  const note = (what: NonFinite['what'], place: ParameterPlace | null): void => {
    found ??= { side: 'forward', what, place, parameter: null };
  };
  const look: Look = async (site, shortcut, branch) => {
    if (!(await allFinite(shortcut))) {
      if (before?.stack === site.stack) note('output', before);
      else note('embeddings', { stack: site.stack, layer: null, sublayer: null });
    } else if (!(await allFinite(branch))) note('branch', site);
    before = site;
  };
  const hidden = await watchForward(model, batch, { training }, look);
  try {
    for (const stack of STACKS) {
      if (!(await allFinite(hidden[stack]))) note('output', sitesOf(model.config, stack).at(-1)!);
    }
    const loss = tf.tidy(() => model.lossOf(hidden.decoder, batch, labelSmoothing).loss);
    const [value] = await readAndDispose(loss);
    if (!Number.isFinite(value)) note('loss', null);
  } finally {
    tf.dispose([hidden.encoder, hidden.decoder]);
  }
  return found;
}

async function findInBackward(
  model: Transformer,
  batch: Batch,
  labelSmoothing: number,
  training: Mode['training'],
): Promise<NonFinite | null> {
  const names = [...model.weights].filter(([, { trainable }]) => trainable).map(([name]) => name);
  const found = lossGradients(model, model.trainable, batch, labelSmoothing, training);
  const { gradients } = found;
  try {
    const norms = new Map<string, number>();
    for (const [i, name] of names.entries()) norms.set(name, await globalNormValue([gradients[i]]));
    const bad = names.filter((name) => !Number.isFinite(norms.get(name)));
    if (bad.length === 0 && Number.isFinite(await globalNormValue(gradients))) return null;
    const largest = names.toSorted((a, b) => norms.get(b)! - norms.get(a)!)[0]; // too large all together
    const parameter = backwardOrder(bad)[0] ?? largest;
    return { side: 'backward', what: 'gradient', place: placeOfParameter(parameter), parameter };
  } finally {
    tf.dispose({ ...found });
  }
}

/**
 * Parameters in the order in which the backward pass is done with them; those of the forward pass the other way round, but
 * for the embedding tables, which come last: where they are the output projection too, they are not done before that.
 */
function backwardOrder(names: readonly string[]): string[] {
  const isTable = (name: string): boolean => /\.embed_(tokens|positions)\./.test(name);
  const reversed = names.toReversed();
  return [...reversed.filter((name) => !isTable(name)), ...reversed.filter(isTable)];
}
