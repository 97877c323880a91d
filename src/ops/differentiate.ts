import { tf } from './tf.js';

/** What tfjs has on its tape. */
type TapeNode = ReturnType<typeof tf.engine>['state']['activeTape'][number];

/** Takes over a gradient as soon as nothing more is added to it, and gives back what takes its place. */
export type GradientTaker = (place: number, gradient: tf.Tensor) => tf.Tensor;

/** A node whose gradients are made all at once. */
interface OwnNode extends TapeNode {
  gradientsOf: (dy: tf.Tensor) => tf.Tensor[];
}

/**
 * Puts an op on the tape, for `differentiate` and for all of tfjs that goes back through it.
 *
 * @param kept what the gradient reads, which goes with the tape
 * @param gradientsOf gradients of the inputs, in their order
 */
export function recordNode(
  inputs: readonly tf.Tensor[],
  output: tf.Tensor,
  kept: tf.Tensor[],
  gradientsOf: OwnNode['gradientsOf'],
): void {
  const { state } = tf.engine();
  const node: OwnNode = {
    id: state.nextTapeNodeId++,
    kernelName: 'withGradient',
    inputs: { ...inputs } as unknown as tf.NamedTensorMap,
    outputs: [output],
    saved: kept,
    gradient: ([dy]) => Object.fromEntries(gradientsOf(dy).map((gradient, i) => [i, () => gradient])),
    gradientsOf,
  };
  state.activeTape.push(node);
}

/**
 * The value of a function and its gradients, as tfjs's own have them, bit for bit, in a fraction of their time where there
 * are many tensors to differentiate by. It may be called within a backward pass.
 *
 * @param by what to differentiate by
 * @param dy gradient of the value, which is used up; ones by default
 * @param take is given each gradient, with its place in `by`, while others are still to be made
 */
export function differentiate<T extends tf.Tensor>(
  f: () => T,
  by: readonly tf.Tensor[],
  dy?: T,
  take?: GradientTaker,
): { value: T; gradients: tf.Tensor[] } {
  const { state } = tf.engine();
  const around = state.activeTape; // tfjs has one tape, which may be that of the pass around this one
  const tape: TapeNode[] = [];
  state.activeTape = tape;
  try {
    state.gradientDepth++;
    let value: T;
    try {
      value = tf.tidy(f);
    } finally {
      state.gradientDepth--;
    }
    return { value, gradients: tf.tidy(() => backwards(tape, by, value, dy ?? tf.ones(value.shape), take)) };
  } finally {
    state.activeTape = around;
    for (const { saved } of tape) for (const tensor of saved ?? []) tensor.dispose();
  }
}

function backwards(
  tape: readonly TapeNode[],
  by: readonly tf.Tensor[],
  value: tf.Tensor,
  dy: tf.Tensor,
  take?: GradientTaker,
): tf.Tensor[] {
  const dependent = dependentOn(by, tape);
  const gradients = new Map<number, tf.Tensor>([[value.id, dy]]);
  const complete = take === undefined ? new Map<number, number[]>() : firstUses(by, tape);
  for (let i = tape.length - 1; i >= 0; i--) {
    goBack(tape[i], gradients, dependent);
    for (const place of complete.get(i) ?? []) {
      const { id } = by[place];
      gradients.set(id, take!(place, gradients.get(id)!));
    }
  }
  return by.map(({ id }) => gradients.get(id)!);
}

/** Adds what a node has to the gradients of its inputs. */
function goBack(node: TapeNode, gradients: Map<number, tf.Tensor>, dependent: ReadonlySet<number>): void {
  const dys = node.outputs.map(({ id }) => gradients.get(id));
  if (dys.every((slope) => slope === undefined)) return;
  const names = Object.keys(node.inputs).filter((name) => dependent.has(node.inputs[name].id));
  if (names.length === 0) return;
  const found = gradientsOf(node, dys);
  for (const name of names) addTo(gradients, node.inputs[name], found(name), node);
}

/** By the node of a tape that is the first to read them, places of tensors: nothing is added to their gradients before it. */
function firstUses(by: readonly tf.Tensor[], tape: readonly TapeNode[]): Map<number, number[]> {
  const places = new Map(by.map(({ id }, place) => [id, place]));
  const found = new Map<number, number[]>();
  for (const [i, { inputs }] of tape.entries()) {
    for (const { id } of Object.values(inputs)) {
      const place = places.get(id);
      if (place === undefined) continue;
      found.set(i, [...(found.get(i) ?? []), place]);
      places.delete(id);
    }
  }
  return found;
}

/** The ids of tensors that are computed from some, and of those. */
function dependentOn(some: readonly tf.Tensor[], tape: readonly TapeNode[]): ReadonlySet<number> {
  const ids = new Set(some.map(({ id }) => id));
  for (const { inputs, outputs } of tape) {
    for (const name in inputs) {
      if (!ids.has(inputs[name].id)) continue;
      for (const { id } of outputs) ids.add(id);
      break;
    }
  }
  return ids;
}

/** The gradients of a node's inputs, by name. */
function gradientsOf(node: TapeNode, dys: (tf.Tensor | undefined)[]): (name: string) => tf.Tensor {
  if ('gradientsOf' in node) {
    const own = (node as OwnNode).gradientsOf(dys[0]!);
    return (name) => own[Number(name)];
  }
  if (node.gradient === undefined) throw new Error(`expected a gradient of ${node.kernelName}, found none`);
  const made = node.gradient(dys as tf.Tensor[]); // tfjs puts zeros where there is none
  return (name) => tf.tidy(() => made[name]());
}

function addTo(gradients: Map<number, tf.Tensor>, x: tf.Tensor, dx: tf.Tensor, node: TapeNode): void {
  if (!tf.util.arraysEqual(dx.shape, x.shape))
    throw new Error(`expected a gradient of shape [${x.shape}] of ${node.kernelName}, found [${dx.shape}]`);
  const sum = gradients.get(x.id);
  gradients.set(x.id, sum === undefined ? dx : tf.add(sum, dx));
  sum?.dispose();
}
