import { multiply } from '../gemm.js';
import type { Implementations } from './call.js';

const linearGradient =
  (withInput: boolean): Implementations['LinearGradient'] =>
  ({ inputs, attributes: { precision }, backend }) => {
    const [rows, width] = inputs.x!.shape;
    const [out] = inputs.weight!.shape;
    const [dy, x, weight] = [inputs.dy!, inputs.x!, inputs.weight!].map((tensor) => backend.numbers(tensor));
    const results = [];
    if (withInput) {
      const dx = backend.activation([rows, width], precision === 'float16');
      multiply(backend, {
        a: { buffer: dy, pitch: out },
        b: { buffer: weight, pitch: width },
        c: { buffer: dx.buffer, pitch: width },
        m: rows,
        n: width,
        k: out,
        precision,
      });
      results.push(dx.info);
    }
    const dWeight = backend.lists.gradient(inputs.weight!);
    const dBias = inputs.bias === undefined ? null : backend.lists.gradient(inputs.bias);
    const gradients = dBias === null ? [dWeight.info] : [dWeight.info, dBias.info];
    multiply(backend, {
      a: { buffer: dy, pitch: out },
      b: { buffer: x, pitch: width },
      c: { buffer: dWeight.buffer, pitch: width },
      m: out,
      n: width,
      k: rows,
      transposeA: true,
      precision,
      rowSums: dBias?.buffer,
      results: gradients,
    });
    return [...results, ...gradients];
  };

export const LINEAR = {
  Linear: ({ inputs, attributes: { precision }, backend }) => {
    const [rows, width] = inputs.x!.shape;
    const [out] = inputs.weight!.shape;
    const y = backend.activation([rows, out], precision === 'float16');
    multiply(backend, {
      a: { buffer: backend.numbers(inputs.x!), pitch: width },
      b: { buffer: backend.floats(inputs.weight!), pitch: width },
      c: { buffer: y.buffer, pitch: out },
      m: rows,
      n: out,
      k: width,
      transposeB: true,
      precision,
      epilogue: inputs.bias === undefined ? 'none' : 'bias',
      beside: inputs.bias === undefined ? {} : { bias: backend.floats(inputs.bias) },
    });
    return [y.info];
  },

  LinearGradient: linearGradient(true),

  WeightGradient: linearGradient(false),
} satisfies Partial<Implementations>;
