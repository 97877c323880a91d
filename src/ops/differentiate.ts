import { tf } from './tf.js';

/** What tfjs has on its tape. */
type TapeNode = ReturnType<typeof tf.engine>['state']['activeTape'][number];

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
 */
export function differentiate<T extends tf.Tensor>(
  f: () => T,
  by: readonly tf.Tensor[],
  dy?: T,
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
    return { value, gradients: tf.tidy(() => backwards(tape, by, value, dy ?? tf.ones(value.shape))) };
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
): tf.Tensor[] {
  const dependent = dependentOn(by, tape);
  const gradients = new Map<number, tf.Tensor>([[value.id, dy]]);
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i];
    const dys = node.outputs.map(({ id }) => gradients.get(id));
    if (dys.every((slope) => slope === undefined)) continue;
    const names = Object.keys(node.inputs).filter((name) => dependent.has(node.inputs[name].id));
    if (names.length === 0) continue;
    const found = gradientsOf(node, dys);
    for (const name of names) addTo(gradients, node.inputs[name], found(name), node);
  }
  return by.map(({ id }) => gradients.get(id)!);
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
