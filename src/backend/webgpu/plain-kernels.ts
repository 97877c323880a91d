import { tf } from '../../ops/tf.js';
import type { WebGpuBackend } from './backend.js';
import { multiply } from './gemm.js';
import { rowSums, softmaxRows } from './reduce.js';
import { binary, fill, filled, fits, move, stridesOf, unary } from './strided.js';

/** What a kernel of tfjs is called with. */
interface PlainCall {
  inputs: tf.NamedTensorInfoMap;
  backend: WebGpuBackend;
  attrs: tf.NamedAttrMap;
}

/** A kernel of tfjs in the cases that the device computes; null in the others. */
export type PlainKernel = (call: PlainCall) => tf.TensorInfo | tf.TensorInfo[] | null;

const sizeOf = (shape: readonly number[]): number => tf.util.sizeFromShape([...shape]);

/** The same values under another shape. */
const reshaped =
  (shapeOf: (x: tf.TensorInfo, attrs: tf.NamedAttrMap) => number[]): PlainKernel =>
  ({ inputs, attrs, backend }) => {
    const x = (inputs.x ?? inputs.input)!;
    return backend.alias(x, shapeOf(x, attrs));
  };

const elementwise = (expression: string): PlainKernel => {
  const compute = unary(expression);
  return ({ inputs, backend }) => compute(backend, inputs.x!);
};

const ofTwo = (expression: string): PlainKernel => {
  const compute = binary(expression);
  return ({ inputs, backend }) => compute(backend, inputs.a!, inputs.b!);
};

const sumOfTwo = binary('l + r', true);

/** l where the condition holds and where it is no number, else r, which may be none either. */
const lesser = (condition: string): string =>
  `select(r, l, ${condition} || (bitcast<u32>(l) & 0x7fffffffu) > 0x7f800000u)`;

const addN: PlainKernel = ({ inputs, backend }) => {
  const [first, ...rest] = Object.values(inputs) as tf.TensorInfo[];
  if (first.dtype !== 'float32' || rest.length === 0) return null;
  let sum = first;
  for (const next of rest) {
    const longer = sumOfTwo(backend, sum, next)!;
    if (sum !== first) backend.disposeData(sum.dataId);
    sum = longer;
  }
  return sum;
};

const constant =
  (value: number): PlainKernel =>
  ({ inputs, backend }) => {
    const { shape, dtype } = inputs.x!;
    return dtype === 'float32' ? filled(backend, shape, value) : null;
  };

const fillKernel: PlainKernel = ({ attrs, backend }) => {
  const { shape, value, dtype } = attrs as unknown as tf.FillAttrs;
  if (typeof value !== 'number' || (dtype ?? 'float32') !== 'float32' || !Number.isFinite(value)) return null;
  return filled(backend, shape, value);
};

const slice: PlainKernel = ({ inputs, attrs, backend }) => {
  const { begin, size } = attrs as unknown as tf.SliceAttrs;
  const [first, shape] = tf.slice_util.parseSliceParams(inputs.x! as tf.Tensor, begin, size);
  return box(backend, inputs.x!, first, shape);
};

/** What of a tensor begins at a place and is of a shape. */
function box(
  backend: WebGpuBackend,
  x: tf.TensorInfo,
  first: readonly number[],
  shape: number[],
): tf.TensorInfo | null {
  if (!fits(x)) return null;
  const strides = stridesOf(x.shape);
  const start = first.reduce((sum, place, axis) => sum + place * strides[axis], 0);
  const ofRows = shape.every((size, axis) => axis === 0 || size === x.shape[axis]);
  const part = ofRows ? backend.lists.part(x, start, shape) : null;
  if (part !== null) return part;
  const from = { buffer: backend.floats(x), start, strides };
  const { info, buffer } = backend.output(shape);
  move(backend, shape, from, { buffer, start: 0, strides: stridesOf(shape) });
  return info;
}

const split: PlainKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  const { numOrSizeSplits, axis } = attrs as unknown as tf.SplitVAttrs;
  const [along] = tf.util.parseAxisParam(axis, x.shape);
  const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, along);
  let start = 0;
  const parts = sizes.map((size) => {
    const first = x.shape.map((_, i) => (i === along ? start : 0));
    start += size;
    const shape = x.shape.map((whole, i) => (i === along ? size : whole));
    return box(backend, x, first, shape);
  });
  return parts.every((part) => part !== null) ? parts : null;
};

const transpose: PlainKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  if (!fits(x)) return null;
  const { perm } = attrs as unknown as tf.TransposeAttrs;
  const strides = stridesOf(x.shape);
  const from = { buffer: backend.floats(x), start: 0, strides: perm.map((axis) => strides[axis]) };
  const shape = perm.map((axis) => x.shape[axis]);
  const { info, buffer } = backend.output(shape);
  move(backend, shape, from, { buffer, start: 0, strides: stridesOf(shape) });
  return info;
};

const pad: PlainKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  const { paddings, constantValue } = attrs as unknown as tf.PadV2Attrs;
  if (!fits(x) || !Number.isFinite(constantValue)) return null;
  const from = { buffer: backend.floats(x), start: 0, strides: stridesOf(x.shape) };
  const shape = x.shape.map((size, axis) => paddings[axis][0] + size + paddings[axis][1]);
  const { info, buffer } = backend.output(shape);
  fill(backend, buffer, sizeOf(shape), constantValue);
  const strides = stridesOf(shape);
  const start = paddings.reduce((sum, [before], axis) => sum + before * strides[axis], 0);
  move(backend, x.shape, from, { buffer, start, strides });
  return info;
};

const concat: PlainKernel = ({ inputs, attrs, backend }) => {
  const parts = Object.values(inputs) as tf.TensorInfo[];
  if (!parts.every(fits)) return null;
  const [axis] = tf.util.parseAxisParam(attrs.axis as number, parts[0].shape);
  const shape = tf.backend_util.computeOutShape(
    parts.map((part) => part.shape),
    axis,
  );
  const joined = axis === 0 ? backend.lists.joined(parts, shape) : null;
  if (joined !== null) return joined;
  const sources = parts.map((part) => backend.floats(part));
  const { info, buffer } = backend.output(shape);
  const strides = stridesOf(shape);
  let start = 0;
  parts.forEach((part, i) => {
    const from = { buffer: sources[i], start: 0, strides: stridesOf(part.shape) };
    move(backend, part.shape, from, { buffer, start, strides });
    start += part.shape[axis] * strides[axis];
  });
  return info;
};

/** One behind another along a new axis: only the first, where nothing has to be moved apart. */
const pack: PlainKernel = ({ inputs, attrs, backend }) => {
  const parts = Object.values(inputs) as tf.TensorInfo[];
  if (attrs.axis !== 0) return null;
  const flat = parts.map((part) => backend.alias(part, [sizeOf(part.shape)]));
  const joined = concat({
    inputs: { ...flat } as unknown as tf.NamedTensorInfoMap,
    attrs: { axis: 0 },
    backend,
  });
  for (const { dataId } of flat) backend.disposeData(dataId);
  if (joined === null) return null;
  return { ...(joined as tf.TensorInfo), shape: [parts.length, ...parts[0].shape] };
};

/** Over the last axes; where others are meant, they are brought there first. */
const sum: PlainKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  if (!fits(x)) return null;
  const axes = tf.util.parseAxisParam(attrs.axis as unknown as number[], x.shape);
  const rest = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const shape = rest.map((axis) => x.shape[axis]);
  const perm = [...rest, ...x.shape.flatMap((_, axis) => (axes.includes(axis) ? [axis] : []))];
  const inOrder = perm.every((axis, i) => axis === i);
  const rows = inOrder ? x : (transpose({ inputs: { x }, attrs: { perm }, backend }) as tf.TensorInfo);
  const { info, buffer } = backend.output(
    attrs.keepDims ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : shape,
  );
  const count = sizeOf(shape);
  rowSums(backend, backend.floats(rows), buffer, count, count === 0 ? 0 : sizeOf(x.shape) / count);
  if (!inOrder) backend.disposeData(rows.dataId);
  return info;
};

const softmax: PlainKernel = ({ inputs, backend }) => {
  const x = inputs.logits!;
  if (x.dtype !== 'float32') return null;
  const width = x.shape[x.shape.length - 1];
  const from = backend.floats(x);
  const { info, buffer } = backend.output(x.shape);
  if (width > 0) softmaxRows(backend, from, buffer, sizeOf(x.shape) / width, width);
  return info;
};

const batchMatMul: PlainKernel = ({ inputs, attrs, backend }) => {
  const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return null;
  const { transposeA, transposeB } = attrs as unknown as tf.BatchMatMulAttrs;
  const lead = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const count = sizeOf(lead);
  const [left, right] = [a, b].map(({ shape }) => {
    const [rows, columns] = shape.slice(-2);
    return {
      rows,
      columns,
      apart: sizeOf(shape.slice(0, -2)) === 1 ? 0 : rows * columns,
      all: sizeOf(shape.slice(0, -2)),
    };
  });
  if ([left, right].some(({ all }) => all !== 1 && all !== count)) return null;
  const [m, k] = transposeA ? [left.columns, left.rows] : [left.rows, left.columns];
  const n = transposeB ? right.rows : right.columns;
  const [from, by] = [backend.floats(a), backend.floats(b)];
  const { info, buffer } = backend.output([...lead, m, n]);
  multiply(backend, {
    ...{ a: { buffer: from, pitch: left.columns }, b: { buffer: by, pitch: right.columns } },
    ...{ c: { buffer, pitch: n }, m, n, k, transposeA, transposeB },
    batch: { count, a: left.apart, b: right.apart, c: m * n },
  });
  return info;
};

const cast: PlainKernel = ({ inputs, attrs, backend }) =>
  inputs.x!.dtype === attrs.dtype ? backend.alias(inputs.x!, inputs.x!.shape) : null;

export const PLAIN: Readonly<Record<string, PlainKernel | undefined>> = {
  [tf.Identity]: reshaped(({ shape }) => shape),
  [tf.Reshape]: reshaped(({ shape }, { shape: asked }) =>
    tf.util.inferFromImplicitShape(asked as unknown as number[], sizeOf(shape)),
  ),
  [tf.ExpandDims]: reshaped(({ shape }, { dim }) => {
    const at = (dim as number) < 0 ? shape.length + 1 + (dim as number) : (dim as number);
    return [...shape.slice(0, at), 1, ...shape.slice(at)];
  }),
  [tf.Add]: ({ inputs, backend }) => sumOfTwo(backend, inputs.a!, inputs.b!),
  [tf.Sub]: ofTwo('l - r'),
  [tf.Multiply]: ofTwo('l * r'),
  [tf.RealDiv]: ofTwo('l / r'),
  [tf.Minimum]: ofTwo(lesser('l < r')),
  [tf.Maximum]: ofTwo(lesser('l > r')),
  [tf.AddN]: addN,
  [tf.Neg]: elementwise('-x'),
  [tf.Square]: elementwise('x * x'),
  [tf.Relu]: elementwise('select(x, 0.0, x < 0.0)'),
  [tf.Cast]: cast,
  [tf.ZerosLike]: constant(0),
  [tf.OnesLike]: constant(1),
  [tf.Fill]: fillKernel,
  [tf.Slice]: slice,
  [tf.SplitV]: split,
  [tf.Transpose]: transpose,
  [tf.PadV2]: pad,
  [tf.Concat]: concat,
  [tf.Pack]: pack,
  [tf.Sum]: sum,
  [tf.Softmax]: softmax,
  [tf.BatchMatMul]: batchMatMul,
};
