import { tf } from '../../ops/tf.js';
import type { WebGpuBackend } from './backend.js';
import { ELEMENT, program } from './program.js';
import { elementRuns } from './windows.js';

/** Most axes that a program walks along. */
const AXES = 4;

export const stridesOf = (shape: readonly number[]): number[] => {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
};

type Axes<Name extends string> = Record<`${Name}${0 | 1 | 2 | 3}`, 'u32'>;
const axes = <Name extends string>(name: Name): Axes<Name> =>
  Object.fromEntries(Array.from({ length: AXES }, (_, i) => [`${name}${i}`, 'u32'])) as Axes<Name>;
const padded = <Name extends string>(name: Name, values: readonly number[], fill: number) =>
  Object.fromEntries(
    Array.from({ length: AXES }, (_, i) => [`${name}${i}`, values[i - AXES + values.length] ?? fill]),
  ) as Record<keyof Axes<Name>, number>;

/** The coordinates of element i of a grid, and where an element is by strides. */
const PLACES = `
fn coordinates(i: u32) -> vec4<u32> {
  var rest = i;
  let d = rest % p.size3; rest /= p.size3;
  let c = rest % p.size2; rest /= p.size2;
  let b = rest % p.size1;
  return vec4<u32>(rest / p.size1, b, c, d);
}
fn place(x: vec4<u32>, strides: vec4<u32>) -> u32 {
  let steps = x * strides;
  return steps.x + steps.y + steps.z + steps.w;
}`;

const MOVE = program(
  { x: 'floats', y: 'floatsOut' },
  { count: 'u32', start: 'u32', place: 'u32', ...axes('size'), ...axes('in'), ...axes('out') },
  `${PLACES}${ELEMENT}
  let x0 = coordinates(i);
  y[p.place + place(x0, vec4<u32>(p.out0, p.out1, p.out2, p.out3))] =
    x[p.start + place(x0, vec4<u32>(p.in0, p.in1, p.in2, p.in3))];
}`,
);

/** Elements of a grid in a buffer: where the first is, and how far it is to the next along each axis. */
export interface View {
  buffer: number;
  start: number;
  strides: readonly number[];
}

/** Copies a grid of at most four axes from one place to another. */
export function move(backend: WebGpuBackend, shape: readonly number[], from: View, to: View): void {
  const count = tf.util.sizeFromShape([...shape]);
  const uniforms = {
    ...{ count, start: from.start, place: to.start },
    ...padded('size', shape, 1),
    ...padded('in', from.strides, 0),
    ...padded('out', to.strides, 0),
  };
  backend.run(MOVE, { x: from.buffer, y: to.buffer }, uniforms, backend.elements(count));
}

export const fits = ({ shape, dtype }: tf.TensorInfo): boolean => dtype === 'float32' && shape.length <= AXES;

const binaryProgram = (expression: string) =>
  program(
    { a: 'floats', b: 'floats', y: 'floatsOut' },
    { count: 'u32', ...axes('size'), ...axes('left'), ...axes('right') },
    `${PLACES}${ELEMENT}
  let x0 = coordinates(i);
  let l = a[place(x0, vec4<u32>(p.left0, p.left1, p.left2, p.left3))];
  let r = b[place(x0, vec4<u32>(p.right0, p.right1, p.right2, p.right3))];
  y[i] = ${expression};
}`,
  );

const flatProgram = (expression: string) =>
  program(
    { a: 'numbers', b: 'numbers', y: 'numbersOut' },
    { count: 'u32' },
    `${ELEMENT} let l = from_a(i); let r = from_b(i); to_y(i, ${expression}); }`,
  );

const numberProgram = (expression: string) =>
  program(
    { a: 'numbers', y: 'floatsOut' },
    { count: 'u32', number: 'f32' },
    `${ELEMENT} let l = from_a(i); let r = p.number; y[i] = ${expression}; }`,
  );

/**
 * An operation on two operands, one of which may repeat along some axes; null where the device has no program for it.
 *
 * @param expression of `l` and `r`
 * @param keepsHalf whether the result is of float16 where both operands are: true of a sum of gradients
 */
export function binary(
  expression: string,
  keepsHalf = false,
): (backend: WebGpuBackend, a: tf.TensorInfo, b: tf.TensorInfo) => tf.TensorInfo | null {
  const [strided, flat, byNumber] = [binaryProgram, flatProgram, numberProgram].map((make) =>
    make(expression),
  ) as [ReturnType<typeof binaryProgram>, ReturnType<typeof flatProgram>, ReturnType<typeof numberProgram>];
  return (backend, a, b) => {
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return null;
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const sameAsA = tf.util.arraysEqual(a.shape, shape);
    const number = sameAsA ? backend.knownNumber(b) : null;
    const sameAsB = tf.util.arraysEqual(b.shape, shape);
    const half = keepsHalf && sameAsA && sameAsB && backend.isHalf(a) && backend.isHalf(b);
    const info = half ? backend.activation(shape, true).info : backend.largeOutput(shape);
    if (number !== null) {
      for (const { ids, count } of elementRuns(backend, a, info))
        backend.run(byNumber, { a: ids[0], y: ids[1] }, { count, number }, backend.elements(count));
    } else if (sameAsA && sameAsB) {
      for (const { ids, count } of elementRuns(backend, a, b, info))
        backend.run(flat, { a: ids[0], b: ids[1], y: ids[2] }, { count }, backend.elements(count));
    } else {
      if (shape.length > AXES) {
        backend.disposeData(info.dataId);
        return null;
      }
      const [left, right, y] = [a, b, info].map((tensor) => backend.floats(tensor));
      const count = tf.util.sizeFromShape(shape);
      const strides = [a, b].map((operand) =>
        stridesOf(operand.shape).map((stride, i) => (operand.shape[i] === 1 ? 0 : stride)),
      );
      const uniforms = {
        ...{ count, ...padded('size', shape, 1) },
        ...padded('left', strides[0], 0),
        ...padded('right', strides[1], 0),
      };
      backend.run(strided, { a: left, b: right, y }, uniforms, backend.elements(count));
    }
    return info;
  };
}

const unaryProgram = (expression: string) =>
  program(
    { a: 'numbers', y: 'floatsOut' },
    { count: 'u32' },
    `${ELEMENT} let x = from_a(i); y[i] = ${expression}; }`,
  );

/** An operation on each element `x`. */
export function unary(
  expression: string,
): (backend: WebGpuBackend, x: tf.TensorInfo) => tf.TensorInfo | null {
  const made = unaryProgram(expression);
  return (backend, x) => {
    if (x.dtype !== 'float32') return null;
    const info = backend.largeOutput(x.shape);
    for (const { ids, count } of elementRuns(backend, x, info))
      backend.run(made, { a: ids[0], y: ids[1] }, { count }, backend.elements(count));
    return info;
  };
}

const FILL = program({ y: 'numbersOut' }, { count: 'u32', value: 'f32' }, `${ELEMENT} to_y(i, p.value); }`);

/** The same number everywhere in a buffer. */
export function fill(backend: WebGpuBackend, buffer: number, count: number, value: number): void {
  backend.run(FILL, { y: buffer }, { count, value }, backend.elements(count));
}

/** A tensor of the same number everywhere. */
export function filled(backend: WebGpuBackend, shape: readonly number[], value: number): tf.TensorInfo {
  const info = backend.largeOutput(shape);
  for (const { ids, count } of elementRuns(backend, info)) fill(backend, ids[0], count, value);
  return info;
}
