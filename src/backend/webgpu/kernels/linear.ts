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
        ...{ a: { buffer: dy, pitch: out }, b: { buffer: weight, pitch: width } },
        ...{ c: { buffer: dx.buffer, pitch: width }, m: rows, n: width, k: out, precision },
      });
      results.push(dx.info);
    }
    const dWeight = backend.lists.gradient(inputs.weight!);
    const dBias = inputs.bias === undefined ? null : backend.lists.gradient(inputs.bias);
    multiply(backend, {
      ...{ a: { buffer: dy, pitch: out }, b: { buffer: x, pitch: width }, transposeA: true },
      ...{ c: { buffer: dWeight.buffer, pitch: width }, m: out, n: width, k: rows, precision },
      ...(dBias && { rowSums: dBias.buffer }),
    });
    results.push(dWeight.info);
    if (dBias !== null) results.push(dBias.info);
    return results;
  };

export const LINEAR = {
  Linear: ({ inputs, attributes: { precision }, backend }) => {
    const [rows, width] = inputs.x!.shape;
    const [out] = inputs.weight!.shape;
    const y = backend.activation([rows, out], precision === 'float16');
    multiply(backend, {
      ...{ a: { buffer: backend.numbers(inputs.x!), pitch: width } },
      ...{ b: { buffer: backend.floats(inputs.weight!), pitch: width }, transposeB: true },
      ...{ c: { buffer: y.buffer, pitch: out }, m: rows, n: out, k: width, precision },
      ...(inputs.bias === undefined
        ? {}
        : { epilogue: 'bias', beside: { bias: backend.floats(inputs.bias) } }),
    });
    return [y.info];
  },

  LinearGradient: linearGradient(true),

  WeightGradient: linearGradient(false),
} satisfies Partial<Implementations>;
