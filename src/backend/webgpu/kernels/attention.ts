import type { AttentionAttributes } from '../../../ops/kernels.js';
import type { tf } from '../../../ops/tf.js';
import { blockFor, blocksOf, longestOf } from '../attention-blocks.js';
import type { WebGpuBackend } from '../backend.js';
import { fill } from '../strided.js';
import { forwardProgram, keyGradientProgram, queryGradientProgram } from './attention-programs.js';
import type { Implementations } from './call.js';

type Tensors = Partial<Record<'0' | '1' | '2', tf.TensorInfo>>;

/** The buffers of q, k and v, and all uniforms but the blocks. */
function given(backend: WebGpuBackend, inputs: Tensors, attributes: AttentionAttributes) {
  const { width, heads, causal, queryOffsets, keyOffsets, dropout } = attributes;
  const longest = longestOf(keyOffsets);
  const block = blockFor(Math.max(longest, longestOf(queryOffsets)));
  const [q, k, v] = (['q', 'k', 'v'] as const).map((name) => {
    const { tensor, column } = attributes[name];
    const info = inputs[String(tensor) as '0']!;
    return { buffer: backend.numbers(info), pitch: info.shape[1], column };
  });
  const headWidth = width / heads;
  const uniforms = {
    heads,
    headWidth,
    width,
    scale: 1 / Math.sqrt(headWidth),
    causal: Number(causal),
    qPitch: q.pitch,
    qColumn: q.column,
    kPitch: k.pitch,
    kColumn: k.column,
    vPitch: v.pitch,
    vColumn: v.column,
    stride: Math.ceil(longest / 4) * 4,
    mask: dropout,
  };
  return {
    ids: { q: q.buffer, k: k.buffer, v: v.buffer },
    uniforms,
    block,
    columns: Math.ceil(headWidth / block),
  };
}

export const ATTENTION = {
  Attention: ({ inputs, attributes, backend }) => {
    const { q, width, heads, queryOffsets, keyOffsets } = attributes;
    const rows = inputs[String(q.tensor) as '0']!.shape[0];
    const out = backend.activation([rows, width], backend.isHalf(...Object.values(inputs)));
    // With room for what the gradients of the queries leave to those of the keys.
    const perHead = backend.output([2, rows, heads]);
    const { ids, uniforms, block, columns } = given(backend, inputs, attributes);
    const blocks = blocksOf(queryOffsets, keyOffsets, block);
    backend.run(
      forwardProgram(block, columns),
      { ...ids, out: out.buffer, perHead: perHead.buffer },
      { ...uniforms, blocks: blocks.count, places: blocks.places },
      backend.fold(blocks.count, heads),
    );
    return [out.info, perHead.info];
  },

  AttentionGradient: ({ inputs, attributes, backend }) => {
    const { q, k, v, heads, width, queryOffsets, keyOffsets } = attributes;
    const { ids, uniforms, block, columns } = given(backend, inputs, attributes);
    const [out, dy] = [inputs.out!, inputs.dy!].map((tensor) => backend.numbers(tensor));
    const perHead = backend.floats(inputs.logPartition!);
    const apart = inputs.out!.shape[0] * heads;
    const tensors = (['0', '1', '2'] as const).flatMap((name) => inputs[name] ?? []);
    const results = tensors.map((tensor) => backend.activation(tensor.shape, backend.isHalf(tensor)));
    results.forEach(({ info, buffer }, tensor) => {
      const written = [q, k, v].filter((place) => place.tensor === tensor).length * width;
      if (written < info.shape[1]) fill(backend, buffer, info.shape[0] * info.shape[1], 0);
    });
    const [dq, dk, dv] = [q, k, v].map(({ tensor }) => results[tensor].buffer);
    const [queries, keys] = [
      blocksOf(queryOffsets, keyOffsets, block),
      blocksOf(keyOffsets, queryOffsets, block),
    ];
    backend.run(
      queryGradientProgram(block, columns),
      { ...ids, dy, out, perHead, dq },
      { ...uniforms, apart, blocks: queries.count, places: queries.places },
      backend.fold(queries.count, heads),
    );
    backend.run(
      keyGradientProgram(block, columns, dk === dv),
      { ...ids, dy, perHead, dk, dv },
      { ...uniforms, apart, blocks: keys.count, places: keys.places },
      backend.fold(keys.count, heads),
    );
    return results.map(({ info }) => info);
  },
} satisfies Partial<Implementations>;
