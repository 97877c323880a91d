import { DamageError } from '../common/errors.js';
import type { DecodingPrecision } from '../common/precision.js';
import type { NamedArray, StoredArray } from './safetensors.js';

/*
 * Weights in fewer bits, as `export --precision` writes them and as translating in that precision takes them: matrices are
 * rounded, vectors stay float32. What is rounded, restored and rounded again is the same.
 */

/** A matrix `NAME` of int8 has the scales of its rows in `NAME_scale`. */
const SCALE = '_scale';
/** Rows whose largest magnitude is below this count as zeros. */
const LEAST = 2 ** -100;
/** 1.5 · 2^52: a number of some hundreds that is added to it is rounded to nearest, ties to even. */
const MAGIC = 6755399441055744;

/** Weights as a file in a precision holds them. */
export function reduceWeights(
  weights: ReadonlyMap<string, NamedArray>,
  precision: DecodingPrecision,
): Map<string, StoredArray> {
  const reduced = new Map<string, StoredArray>();
  for (const [name, array] of weights) {
    const { shape, data } = array;
    if (precision === 'float32' || shape.length !== 2) reduced.set(name, array);
    else if (precision === 'bfloat16') reduced.set(name, { shape, data: toBfloat16(data) });
    else {
      const { values, scales } = toInt8(data, shape[0]);
      reduced.set(name, { shape, data: values });
      reduced.set(name + SCALE, { shape: [shape[0]], data: scales });
    }
  }
  return reduced;
}

/**
 * What such weights stand for.
 *
 * @param where names the source in errors, a file
 * @throws DamageError for scales that are missing or cannot be
 */
export function restoreWeights(
  stored: ReadonlyMap<string, StoredArray>,
  where: string,
): Map<string, NamedArray> {
  const restored = new Map<string, NamedArray>();
  const scaleNames = new Set(
    [...stored].filter(([, { data }]) => data instanceof Int8Array).map(([name]) => name + SCALE),
  );
  for (const [name, { shape, data }] of stored) {
    if (scaleNames.has(name)) continue;
    if (data instanceof Float32Array) restored.set(name, { shape, data });
    else if (data instanceof Uint16Array) restored.set(name, { shape, data: fromBfloat16(data) });
    else {
      const scales = scalesOf(name, shape, data, stored.get(name + SCALE), where);
      restored.set(name, { shape, data: fromInt8(data, scales) });
    }
  }
  return restored;
}

/** Rounded to nearest, ties to even; the upper halves of the bits. @param data finite */
function toBfloat16(data: Float32Array): Uint16Array {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const halves = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const u = bits[i];
    halves[i] = (u & 0x7f800000) === 0 ? (u >>> 16) & 0x8000 : (u + 0x7fff + ((u >>> 16) & 1)) >>> 16;
  }
  return halves;
}

function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

/** Each row divided by its scale and rounded, as native/src/ops/int8.h does it. @param data finite */
export function toInt8(data: Float32Array, rows: number): { values: Int8Array; scales: Float32Array } {
  const columns = data.length / rows;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows).fill(1);
  const scaleBits = new Uint32Array(scales.buffer);
  for (let row = 0; row < rows; row++) {
    const [first, end] = [row * columns, (row + 1) * columns];
    let most = 0;
    for (let i = first; i < end; i++) most = Math.max(most, Math.abs(data[i]));
    if (most < LEAST) continue;
    scales[row] = most / 127;
    scaleBits[row] = (scaleBits[row] + 0x40) & ~0x7f; // 17 bits: times a number of int8 it is exact
    const inverse = Math.fround(1 / scales[row]);
    for (let i = first; i < end; i++) values[i] = Math.fround(data[i] * inverse) + MAGIC - MAGIC;
  }
  return { values, scales };
}

function fromInt8(values: Int8Array, scales: Float32Array): Float32Array {
  const data = new Float32Array(values.length);
  const columns = values.length / scales.length;
  for (let row = 0; row < scales.length; row++)
    for (let i = row * columns; i < (row + 1) * columns; i++) data[i] = values[i] * scales[row];
  return data;
}

/** The scales of a matrix of int8. @throws DamageError where they, or its numbers, cannot be */
function scalesOf(
  name: string,
  shape: readonly number[],
  values: Int8Array,
  found: StoredArray | undefined,
  where: string,
): Float32Array {
  const refuse = (problem: string) =>
    new DamageError({ problem, where, hint: 'The file is damaged, or of another program: export it again.' });
  const wanted = `scales of the int8 matrix '${name}' in '${name + SCALE}'`;
  if (found === undefined) throw refuse(`expected ${wanted}, found none`);
  const { data } = found;
  if (!(data instanceof Float32Array) || shape.length !== 2 || String(found.shape) !== String([shape[0]]))
    throw refuse(`expected ${wanted} of shape [${shape[0]}] in F32, found [${found.shape}]`);
  const strange = data.findIndex((scale) => !(scale > 0 && scale < Number.POSITIVE_INFINITY));
  if (strange !== -1)
    throw refuse(`expected ${wanted} to be finite and above 0, found ${data[strange]} (value ${strange})`);
  if (values.includes(-128)) throw refuse(`expected numbers from −127 to 127 in '${name}', found −128`);
  return data;
}
