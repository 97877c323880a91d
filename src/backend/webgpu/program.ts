import type { Access, PipelineSource } from './protocol.js';

/** What a buffer holds and how it is used: floats or ints, read or written. */
export type BufferKind = 'floats' | 'ints' | 'floatsOut' | 'intsOut';
/** `indices` is where an array of integers starts in the arena: `at(p.name + i)` reads it. */
export type UniformKind = 'u32' | 'i32' | 'f32' | 'indices';

const DECLARED: Record<BufferKind, { access: Access; text: string }> = {
  floats: { access: 'read', text: 'read> NAME: array<f32>' },
  ints: { access: 'read', text: 'read> NAME: array<i32>' },
  floatsOut: { access: 'write', text: 'read_write> NAME: array<f32>' },
  intsOut: { access: 'write', text: 'read_write> NAME: array<i32>' },
};

/** A program for the device, with the names of what it is called with. */
export interface Program<B extends string = string, U extends string = string> {
  readonly source: PipelineSource;
  readonly buffers: readonly B[];
  readonly uniforms: readonly (readonly [U, UniformKind])[];
}

/**
 * A program in WGSL: the buffers by name, the uniforms as `p.NAME`, and the body, which has a function `main` of an
 * entry point and what it calls.
 *
 * @param enable directives for what not every device has
 */
export function program<B extends string, U extends string>(
  buffers: Record<B, BufferKind>,
  uniforms: Record<U, UniformKind>,
  body: string,
  enable = '',
): Program<B, U> {
  const names = Object.keys(buffers) as B[];
  const fields = Object.entries(uniforms) as [U, UniformKind][];
  const indices = fields.some(([, kind]) => kind === 'indices');
  const code = [
    enable,
    ...names.map(
      (name, i) =>
        `@group(0) @binding(${i}) var<storage, ${DECLARED[buffers[name]].text.replace('NAME', name)};`,
    ),
    `struct Uniforms { ${fields.map(([name, kind]) => `${name}: ${kind === 'indices' ? 'u32' : kind}`).join(', ')} }`,
    '@group(1) @binding(0) var<uniform> p: Uniforms;',
    indices ? '@group(1) @binding(1) var<storage, read> arena: array<i32>;' : '',
    indices ? 'fn at(i: u32) -> u32 { return u32(arena[i]); }' : '',
    body,
  ].join('\n');
  const access = names.map((name) => DECLARED[buffers[name]].access);
  return { source: { id: programs++, code, access, indices }, buffers: names, uniforms: fields };
}

let programs = 0;

/** Programs that differ in some choices, each made when it is first wanted. */
export function variants<A extends readonly (string | number | boolean)[], P>(
  make: (...choices: A) => P,
): (...choices: A) => P {
  const made = new Map<string, P>();
  return (...choices) => {
    const key = choices.join();
    let found = made.get(key);
    if (found === undefined) {
      found = make(...choices);
      made.set(key, found);
    }
    return found;
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
 * Half precision: the directive, and `narrow(x)`, the float16 that is nearest to a float. By the bits where it is out of
 * range: a conversion that rounds towards zero would hide the overflow.
 */
export const HALF = {
  enable: 'enable f16;',
  functions: `
fn narrow(x: f32) -> f16 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  if (size < 0x477ff000u) { return f16(x); }
  let strange = select(0x7c00u, 0x7e00u, size > 0x7f800000u) | ((bits >> 16u) & 0x8000u);
  return bitcast<vec2<f16>>(strange).x;
}`,
} as const;
