import type { KernelDropout } from '../../ops/kernels.js';
import { MASK_FIELDS } from './mask.js';
import type { Access, PipelineSource } from './protocol.js';

/**
 * What a buffer holds and how it is used: floats or ints, read or written. `numbers` are floats of 32 or 16 bits, however
 * each buffer has them: `from_NAME(i)` reads a float of 32 bits, and `to_NAME(i, x)` writes one, rounded where need be.
 */
export type BufferKind = 'floats' | 'ints' | 'floatsOut' | 'intsOut' | 'numbers' | 'numbersOut';
/**
 * `indices` is where an array of integers starts in the arena: `at(p.name + i)` reads it. `mask` is a dropout, of which the
 * fields are those of mask.ts, whatever it is called.
 */
export type UniformKind = 'u32' | 'i32' | 'f32' | 'indices' | 'mask';
/** What is given for them. */
export type UniformValue = number | Int32Array | KernelDropout;

const DECLARED: Record<BufferKind, { access: Access; type: 'f32' | 'i32'; eitherWidth?: true }> = {
  floats: { access: 'read', type: 'f32' },
  ints: { access: 'read', type: 'i32' },
  floatsOut: { access: 'write', type: 'f32' },
  intsOut: { access: 'write', type: 'i32' },
  numbers: { access: 'read', type: 'f32', eitherWidth: true },
  numbersOut: { access: 'write', type: 'f32', eitherWidth: true },
};
const MODES: Record<Access, string> = { read: 'read', write: 'read_write' };

/** A program for the device, with the names of what it is called with. */
export interface Program<B extends string = string, U extends string = string> {
  /** Its form where the buffers of some places, the bits of a number, are of float16. */
  readonly sourceFor: (halves: number) => PipelineSource;
  readonly buffers: readonly B[];
  readonly uniforms: readonly { readonly name: U; readonly kind: UniformKind }[];
}

/** What not every device has and a program needs. */
interface Needs {
  /** Half precision, and `half_NAME(i)`, which reads `numbers` as float16. */
  half?: boolean;
  /** Other directives. */
  enable?: string;
}

/**
 * A program in WGSL: the buffers by name, the uniforms as `p.NAME`, and the body, which has a function `main` of an
 * entry point and what it calls.
 */
export function program<B extends string, U extends string>(
  buffers: Record<B, BufferKind>,
  uniforms: Record<U, UniformKind>,
  body: string,
  { half = false, enable = '' }: Needs = {},
): Program<B, U> {
  const names = Object.keys(buffers) as B[];
  const fields = (Object.entries(uniforms) as [U, UniformKind][]).map(([name, kind]) => ({ name, kind }));
  const indices = fields.some(({ kind }) => kind === 'indices');
  const access = names.map((name) => DECLARED[buffers[name]].access);
  const sourceFor = variants((halves: number): PipelineSource => {
    const usesHalf = half || halves !== 0;
    const code = [
      usesHalf ? 'enable f16;' : '',
      enable,
      usesHalf ? NARROW : '',
      ...names.map((name, i) => declaration(name, i, buffers[name], (halves >> i) % 2 === 1, half)),
      `struct Uniforms { ${fields.map(({ name, kind }) => fieldOf(name, kind)).join(', ')} }`,
      `@group(0) @binding(${names.length}) var<uniform> p: Uniforms;`,
      indices ? `@group(0) @binding(${names.length + 1}) var<storage, read> arena: array<i32>;` : '',
      indices ? 'fn at(i: u32) -> u32 { return u32(arena[i]); }' : '',
      body,
    ].join('\n');
    return { id: programs++, code, access, indices };
  });
  return { sourceFor, buffers: names, uniforms: fields };
}

let programs = 0;

function fieldOf(name: string, kind: UniformKind): string {
  if (kind === 'mask') return MASK_FIELDS;
  return `${name}: ${kind === 'indices' ? 'u32' : kind}`;
}

/** A buffer, and how it is read and written where it may be of either width. */
function declaration(name: string, i: number, kind: BufferKind, isHalf: boolean, asHalf: boolean): string {
  const { access, type, eitherWidth = false } = DECLARED[kind];
  if (isHalf && !eitherWidth)
    throw new Error(`expected a buffer of four bytes a number for '${name}', found float16`);
  const declared = `@group(0) @binding(${i}) var<storage, ${MODES[access]}> ${name}: array<${isHalf ? 'f16' : type}>;`;
  if (!eitherWidth) return declared;
  return [
    declared,
    `fn from_${name}(i: u32) -> f32 { return f32(${name}[i]); }`,
    access === 'read' ? '' : `fn to_${name}(i: u32, x: f32) { ${name}[i] = ${isHalf ? 'narrow(x)' : 'x'}; }`,
    asHalf
      ? `fn half_${name}(i: u32) -> f16 { return ${isHalf ? `${name}[i]` : `narrow(${name}[i])`}; }`
      : '',
  ].join('\n');
}

/** Programs that differ in some choices, each made when it is first wanted. */
export function variants<A extends readonly (string | number | boolean)[], P>(
  make: (...choices: A) => P,
): (...choices: A) => P {
  // A tree with a level for each choice: what is looked up for every dispatch is not made a string of.
  const root = new Map<unknown, unknown>();
  return (...choices) => {
    let branch = root;
    for (let i = 0; i + 1 < choices.length; i++) {
      if (!branch.has(choices[i])) branch.set(choices[i], new Map<unknown, unknown>());
      branch = branch.get(choices[i]) as Map<unknown, unknown>;
    }
    const last = choices[choices.length - 1];
    if (!branch.has(last)) branch.set(last, make(...choices));
    return branch.get(last) as P;
  };
}

/** Invocations of a workgroup in programs that take one element after another. */
export const GROUP = 256;

/** Head of an entry point whose invocation `i` is one of `p.count`; groups are numbered over x and y. */
export const ELEMENT = `
@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.y * groups.x + group.x) * ${GROUP}u + local;
  if (i >= p.count) { return; }`;

/** Invocations of a workgroup that takes a row: few, since they wait for each other. */
export const ROW_GROUP = 64;

/** Head of an entry point of which a workgroup takes `row`, one of `p.rows`. */
export const ROW = `
@compute @workgroup_size(${ROW_GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= p.rows) { return; }`;

/** Over the invocations of a workgroup of ROW_GROUP: in two steps of eight, in an order of its own. */
const overGroup = (name: string, first: string, step: string) => `
fn ${name}(x: f32, local: u32) -> f32 {
  parts[local] = x;
  workgroupBarrier();
  if (local < 8u) {
    var result = ${first};
    for (var i = 0u; i < 8u; i++) { let next = parts[8u * local + i]; result = ${step}; }
    eighths[local] = result;
  }
  workgroupBarrier();
  var result = ${first};
  for (var i = 0u; i < 8u; i++) { let next = eighths[i]; result = ${step}; }
  return result;
}`;

/** −(the largest finite float): WGSL has no constant for −∞. */
export const LEAST = '-3.4028234e38';

/** `sumOf(x, local)`: the same bits each time. */
export const SUM = `
var<workgroup> parts: array<f32, ${ROW_GROUP}>;
var<workgroup> eighths: array<f32, 8>;${overGroup('sumOf', '0.0', 'result + next')}`;

/** Beside SUM, `mostOf(x, local)`: what is no number is passed over. */
export const MOST = overGroup('mostOf', LEAST, 'select(result, next, next > result)');

/**
 * `powerOf(x, top)`: e to the power of x − top, and `logOf(sum)` of such; NaN where x is NaN or +∞, and of a sum of
 * nothing. By the bits: compilers of WGSL may take it that every float is finite, and drivers have NaN vanish in exp and log.
 */
export const POWERS = `
fn nan() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }
fn powerOf(x: f32, top: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u || bits == 0x7f800000u) { return nan(); }
  return exp(x - top);
}
fn logOf(sum: f32) -> f32 {
  if (sum == 0.0 || (bitcast<u32>(sum) & 0x7f800000u) == 0x7f800000u) { return nan(); }
  return log(sum);
}`;

/**
 * `narrow(x)`, the float16 that is nearest to a float. By the bits where it is out of range: a conversion that rounds
 * towards zero would hide the overflow.
 */
const NARROW = `
fn narrow(x: f32) -> f16 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  if (size < 0x477ff000u) { return f16(x); }
  let strange = select(0x7c00u, 0x7e00u, size > 0x7f800000u) | ((bits >> 16u) & 0x8000u);
  return bitcast<vec2<f16>>(strange).x;
}`;

/** The same numbers, of 32 bits each. */
export const WIDEN = program(
  { x: 'numbers', y: 'floatsOut' },
  { count: 'u32' },
  `${ELEMENT} y[i] = from_x(i); }`,
);
