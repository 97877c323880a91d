import { Purpose } from '../../common/rng.js';
import type { KernelDropout } from '../../ops/kernels.js';

/** The uniform of a program that makes a mask, and its fields. */
export const MASK_UNIFORMS = { mask: 'mask' } as const;
export const MASK_FIELDS =
  'maskThreshold: u32, maskKept: f32, maskLow: u32, maskHigh: u32, maskStep: u32, maskSite: u32';
const FIELDS = 6;

/** Writes what a mask is, the numbers of common/rng.ts; no dropout keeps all. @returns where the next field is */
export function writeMask(
  words: Uint32Array,
  floats: Float32Array,
  place: number,
  dropout: KernelDropout,
): number {
  if (dropout === null) words.fill(0, place, place + FIELDS);
  else {
    words[place] = Math.floor(dropout.rate * 2 ** 32);
    words[place + 2] = dropout.seed >>> 0;
    words[place + 3] = Math.floor(dropout.seed / 2 ** 32);
    words[place + 4] = dropout.step;
    words[place + 5] = dropout.site;
  }
  floats[place + 1] = dropout === null ? 1 : 1 / (1 - dropout.rate);
  return place + FIELDS;
}

/** `masks(b)`: of the elements 4b to 4b + 3; `mask(i)`: of element i. */
export const MASK = `
fn mulHigh(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu; let ah = a >> 16u; let bl = b & 0xffffu; let bh = b >> 16u;
  let middle = ah * bl + ((al * bl) >> 16u);
  let carry = al * bh + (middle & 0xffffu);
  return ah * bh + (middle >> 16u) + (carry >> 16u);
}
fn philox(block: u32) -> vec4<u32> {
  var x = vec4<u32>(block, p.maskSite, ${Purpose.dropout}u, p.maskStep);
  var k = vec2<u32>(p.maskLow, p.maskHigh);
  for (var round = 0u; round < 10u; round++) {
    let high0 = mulHigh(0xd2511f53u, x.x); let low0 = 0xd2511f53u * x.x;
    let high1 = mulHigh(0xcd9e8d57u, x.z); let low1 = 0xcd9e8d57u * x.z;
    x = vec4<u32>(high1 ^ x.y ^ k.x, low1, high0 ^ x.w ^ k.y, low0);
    k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return x;
}
fn masks(block: u32) -> vec4<f32> {
  if (p.maskThreshold == 0u) { return vec4<f32>(p.maskKept); }
  return select(vec4<f32>(0.0), vec4<f32>(p.maskKept), philox(block) >= vec4<u32>(p.maskThreshold));
}
fn mask(i: u32) -> f32 { return masks(i / 4u)[i % 4u]; }`;
