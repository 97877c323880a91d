import { multiply } from '../gemm.js';
import type { Implementations } from './call.js';

export const FEED_FORWARD = {
  FeedForwardInner: ({ inputs, attributes: { activation, dropout, precision }, backend }) => {
    const [rows, width] = inputs.x!.shape;
    const [inner] = inputs.weight!.shape;
    const h = backend.output([rows, inner]);
    const before = activation === 'gelu' ? backend.output([rows, inner]) : null;
    const beside = { bias: backend.floats(inputs.bias!), ...(before && { before: before.buffer }) };
    multiply(backend, {
      ...{ a: { buffer: backend.floats(inputs.x!), pitch: width } },
      ...{ b: { buffer: backend.floats(inputs.weight!), pitch: width }, transposeB: true },
      ...{ c: { buffer: h.buffer, pitch: inner }, m: rows, n: inner, k: width, precision },
      ...{ epilogue: activation, beside, dropout },
    });
    return before === null ? [h.info] : [h.info, before.info];
  },

  FeedForwardInnerGradient: ({ inputs, attributes: { activation, dropout, precision }, backend }) => {
    const [width, inner] = inputs.weight!.shape;
    const [rows] = inputs.dy!.shape;
    const out = backend.output([rows, inner]);
    multiply(backend, {
      ...{ a: { buffer: backend.floats(inputs.dy!), pitch: width } },
      ...{ b: { buffer: backend.floats(inputs.weight!), pitch: inner } },
      ...{ c: { buffer: out.buffer, pitch: inner }, m: rows, n: inner, k: width, precision },
      ...{ epilogue: `${activation}Gradient`, beside: { kept: backend.floats(inputs.kept!) }, dropout },
    });
    return [out.info];
  },
} satisfies Partial<Implementations>;
