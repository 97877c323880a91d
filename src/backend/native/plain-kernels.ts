import { tf } from '../../ops/tf.js';
import type { NativeBackend } from './backend.js';

declare module './binding.js' {
  interface Addon {
    matMul(
      ...args: [
        ...[
          a: Float32Array,
          b: Float32Array,
          c: Float32Array,
          batch: number,
          m: number,
          n: number,
          k: number,
        ],
        ...[strideA: number, strideB: number, transposeA: boolean, transposeB: boolean],
      ]
    ): void;
    add(a: Floats, b: Floats, out: Floats): void;
    subtract(a: Floats, b: Floats, out: Floats): void;
    multiplyElements(a: Floats, b: Floats, out: Floats): void;
  }
}

/** A kernel of tfjs that the engine computes in the cases that matter, and hands on in the others. */
type PlainKernel = (
  params: { inputs: tf.NamedTensorInfoMap; backend: object; attrs?: tf.NamedAttrMap },
  otherwise: tf.KernelFunc,
) => tf.TensorInfo | tf.TensorInfo[];

const sameShape = (a: tf.TensorInfo, b: tf.TensorInfo): boolean =>
  a.dtype === 'float32' && b.dtype === 'float32' && String(a.shape) === String(b.shape);

const isNumber = ({ shape, dtype }: tf.TensorInfo): boolean =>
  dtype === 'float32' && shape.every((size) => size === 1);

/** Operands of one shape. */
function elementwise(name: 'add' | 'subtract' | 'multiplyElements'): PlainKernel {
  return (params, otherwise) => {
    const { a, b } = params.inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    const backend = params.backend as NativeBackend;
    if (sameShape(a, b)) {
      const out = backend.output(a.shape);
      backend.addon[name](backend.floats(a), backend.floats(b), out.values);
      return out.info;
    }
    if (name === 'multiplyElements' && a.dtype === 'float32' && isNumber(b)) {
      const out = backend.output(a.shape.length < b.shape.length ? b.shape : a.shape);
      backend.addon.scaleBy(backend.floats(a), backend.floats(b), out.values);
      return out.info;
    }
    return otherwise(params);
  };
}

/** Sizes of a batch of matrices: how many, and how far apart; 0 apart where there is one for all. */
function batchOf({ shape }: tf.TensorInfo): { count: number; size: number } {
  const size = shape[shape.length - 2] * shape[shape.length - 1];
  return { count: shape.slice(0, -2).reduce((product, n) => product * n, 1), size };
}

const batchMatMul: PlainKernel = (params, otherwise) => {
  const { a, b } = params.inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
  const { transposeA, transposeB } = params.attrs as unknown as tf.BatchMatMulAttrs;
  const [left, right] = [batchOf(a), batchOf(b)];
  const lead = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const count = lead.reduce((product, n) => product * n, 1);
  const repeats = [left, right].some((side) => side.count !== 1 && side.count !== count);
  if (a.dtype !== 'float32' || b.dtype !== 'float32' || repeats) return otherwise(params);
  const backend = params.backend as NativeBackend;
  const [rows, inner] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const columns = b.shape[b.shape.length - (transposeB ? 2 : 1)];
  const out = backend.output([...lead, rows, columns]);
  const strides = [left, right].map((side) => (side.count === 1 ? 0 : side.size));
  backend.addon.matMul(
    ...([backend.floats(a), backend.floats(b), out.values, count, rows, columns, inner] as const),
    ...([strides[0], strides[1], transposeA, transposeB] as const),
  );
  return out.info;
};

/** Rows of zeros above and below: the gradient of a slice of rows. */
const padRows: PlainKernel = (params, otherwise) => {
  const { x } = params.inputs as { x: tf.TensorInfo };
  const { paddings, constantValue } = params.attrs as unknown as tf.PadV2Attrs;
  const rowsAlone = paddings.slice(1).every(([above, below]) => above === 0 && below === 0);
  if (x.dtype !== 'float32' || constantValue !== 0 || !rowsAlone || x.shape.length === 0) {
    return otherwise(params);
  }
  const backend = params.backend as NativeBackend;
  const [[above, below]] = paddings;
  const out = backend.output([above + x.shape[0] + below, ...x.shape.slice(1)]);
  const values = backend.floats(x);
  const start = above * x.shape.slice(1).reduce((product, size) => product * size, 1);
  out.values.fill(0, 0, start);
  out.values.set(values, start);
  out.values.fill(0, start + values.length);
  return out.info;
};

/** In the memory of the arena, as the values of the others are. */
const zerosLike: PlainKernel = (params, otherwise) => {
  const { x } = params.inputs as { x: tf.TensorInfo };
  if (x.dtype !== 'float32') return otherwise(params);
  const out = (params.backend as NativeBackend).output(x.shape);
  out.values.fill(0);
  return out.info;
};

/** In the memory of the arena, in one pass. */
const fill: PlainKernel = (params, otherwise) => {
  const { shape, value, dtype } = params.attrs as unknown as tf.FillAttrs;
  if (typeof value !== 'number' || (dtype ?? 'float32') !== 'float32') return otherwise(params);
  const out = (params.backend as NativeBackend).output(shape);
  out.values.fill(value);
  return out.info;
};

export const PLAIN: Readonly<Record<string, PlainKernel | undefined>> = {
  [tf.Add]: elementwise('add'),
  [tf.Sub]: elementwise('subtract'),
  [tf.Multiply]: elementwise('multiplyElements'),
  [tf.BatchMatMul]: batchMatMul,
  [tf.PadV2]: padRows,
  [tf.ZerosLike]: zerosLike,
  [tf.Fill]: fill,
};
