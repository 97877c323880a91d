import type { Kernels } from '../../../ops/kernels.js';
import type { NativeBackend } from '../backend.js';
import { type Implementations, mask, memoryOf, outputs } from './call.js';

declare module '../binding.js' {
  interface Addon {
    attention(
      ...args: [
        ...[q: Floats, qColumn: number, qStride: number, k: Floats, kColumn: number, kStride: number],
        ...[v: Floats, vColumn: number, vStride: number, queryOffsets: Int32Array, keyOffsets: Int32Array],
        ...[out: Floats, logPartition: Floats, heads: number, headWidth: number, causal: boolean, mask: Mask],
      ]
    ): void;
    attentionGradient(
      ...args: [
        ...[q: Floats, qColumn: number, qStride: number, k: Floats, kColumn: number, kStride: number],
        ...[v: Floats, vColumn: number, vStride: number, queryOffsets: Int32Array, keyOffsets: Int32Array],
        ...[out: Floats, logPartition: Floats, dOut: Floats, dq: Floats, dk: Floats, dv: Floats],
        ...[heads: number, headWidth: number, causal: boolean, mask: Mask],
      ]
    ): void;
  }
}

/** Memory, first column and row length of q, k and v. */
type Places = [
  ...[q: Float32Array, qColumn: number, qStride: number],
  ...[k: Float32Array, kColumn: number, kStride: number],
  ...[v: Float32Array, vColumn: number, vStride: number],
];

function placesOf(
  { q, k, v }: Kernels['Attention']['attributes'],
  inputs: Parameters<Implementations['Attention']>[0]['inputs'],
  backend: NativeBackend,
): Places {
  return [q, k, v].flatMap(({ tensor, column }) => {
    const info = inputs[String(tensor) as '0' | '1' | '2']!;
    return [backend.floats(info), column, info.shape[1]];
  }) as Places;
}

export const ATTENTION = {
  Attention: ({ inputs, attributes, backend }) => {
    const { q, width, heads: count, causal, queryOffsets, keyOffsets, dropout } = attributes;
    const rows = inputs[String(q.tensor) as '0']!.shape[0];
    const { infos, memory } = outputs(backend, [
      [rows, width],
      [rows, count],
    ]);
    backend.addon.attention(
      ...placesOf(attributes, inputs, backend),
      ...([queryOffsets, keyOffsets, memory[0], memory[1], count, width / count, causal] as const),
      mask(dropout),
    );
    return infos;
  },

  AttentionGradient: ({ inputs, attributes, backend }) => {
    const { q, k, v, width, heads: count, causal, queryOffsets, keyOffsets, dropout } = attributes;
    const { out, logPartition, dy } = memoryOf(backend, inputs);
    const tensors = (['0', '1', '2'] as const).flatMap((name) => inputs[name] ?? []);
    const { infos, memory } = outputs(
      backend,
      tensors.map(({ shape }) => shape),
    );
    const [dq, dk, dv] = [q, k, v].map(({ tensor }) => memory[tensor]);
    backend.addon.attentionGradient(
      ...placesOf(attributes, inputs, backend),
      ...([queryOffsets, keyOffsets, out, logPartition, dy, dq, dk, dv] as const),
      ...([count, width / count, causal, mask(dropout)] as const),
    );
    return infos;
  },
} satisfies Partial<Implementations>;
