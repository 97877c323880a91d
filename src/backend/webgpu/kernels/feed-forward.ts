import { multiply } from '../gemm.js';
import type { Implementations } from './call.js';

export const FEED_FORWARD = {
  FeedForwardInner: ({ inputs, attributes: { activation, dropout, precision }, backend }) => {
    const [rows, width] = inputs.x!.shape;
    const [inner] = inputs.weight!.shape;
    const output = () => backend.activation([rows, inner], precision === 'float16');
    const h = output();
    const before = activation === 'gelu' ? output() : null;
    const beside = { bias: backend.floats(inputs.bias!), ...(before && { before: before.buffer }) };
    multiply(backend, {
      a: { buffer: backend.numbers(inputs.x!), pitch: width },
      b: { buffer: backend.floats(inputs.weight!), pitch: width },
      c: { buffer: h.buffer, pitch: inner },
      m: rows,
      n: inner,
      k: width,
      transposeB: true,
      precision,
      epilogue: activation,
      beside,
      dropout,
    });
    return before === null ? [h.info] : [h.info, before.info];
  },

  FeedForwardInnerGradient: ({ inputs, attributes: { activation, dropout, precision }, backend }) => {
    const [width, inner] = inputs.weight!.shape;
    const [rows] = inputs.dy!.shape;
    const out = backend.activation([rows, inner], precision === 'float16');
    multiply(backend, {
      a: { buffer: backend.numbers(inputs.dy!), pitch: width },
      b: { buffer: backend.floats(inputs.weight!), pitch: inner },
      c: { buffer: out.buffer, pitch: inner },
      m: rows,
      n: inner,
      k: width,
      precision,
      epilogue: `${activation}Gradient`,
      beside: { kept: backend.numbers(inputs.kept!) },
      dropout,
    });
    return [out.info];
  },
} satisfies Partial<Implementations>;
