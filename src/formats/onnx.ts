import { UserError } from '../common/errors.js';
import { packageVersion, writeAtomic } from '../common/files.js';
import { ProtoWriter } from '../common/proto-writer.js';

/**
 * Writes ONNX (onnx.proto of ONNX 1.12: ModelProto, GraphProto, NodeProto, …; the numbers of its fields stand where they
 * are written). Weights are within the one file.
 */

/** The version of the format that goes with the set of operators. */
const IR_VERSION = 8;
export const OPSET = 17;
/** No message of Protocol Buffers may be longer. */
const MOST_BYTES = 2 ** 31 - 1;

/** TensorProto.DataType */
const TYPES = { float: 1, int64: 7 } as const;

/** What goes into a graph or comes out of it; an axis is a number, or the name of one that calls choose. */
export interface OnnxValue {
  name: string;
  type: keyof typeof TYPES;
  shape: readonly (number | string)[];
}

export interface OnnxTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array | BigInt64Array;
}

export type OnnxAttribute = { int: number } | { float: number } | { ints: readonly number[] };

export interface OnnxNode {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxGraph {
  name: string;
  /** Each comes after those whose outputs it reads. */
  nodes: readonly OnnxNode[];
  weights: readonly OnnxTensor[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
}

/**
 * Writes a model.
 *
 * @param most bytes that a file may have
 * @throws UserError where there are more
 */
export function writeOnnx(file: string, graph: OnnxGraph, most = MOST_BYTES): void {
  const model = new ProtoWriter()
    .integer(1, IR_VERSION)
    .bytes(2, 'admin-nmt')
    .bytes(3, packageVersion())
    .message(7, graphMessage(graph))
    .message(8, new ProtoWriter().bytes(1, '').integer(2, OPSET));
  if (model.length > most) {
    throw new UserError({
      problem: `an ONNX file holds at most ${most} bytes, found a model that takes ${model.length}`,
      where: file,
      hint: 'Export it for another program: `admin-nmt export --help` lists them.',
    });
  }
  writeAtomic(file, (write) => model.writeTo(write));
}

function graphMessage({ name, nodes, weights, inputs, outputs }: OnnxGraph): ProtoWriter {
  const graph = new ProtoWriter();
  for (const node of nodes) graph.message(1, nodeMessage(node));
  graph.bytes(2, name);
  for (const weight of weights) graph.message(5, tensorMessage(weight));
  for (const value of inputs) graph.message(11, valueMessage(value));
  for (const value of outputs) graph.message(12, valueMessage(value));
  return graph;
}

function nodeMessage({ op, inputs, outputs, attributes }: OnnxNode): ProtoWriter {
  const node = new ProtoWriter();
  for (const name of inputs) node.bytes(1, name);
  for (const name of outputs) node.bytes(2, name);
  node.bytes(3, outputs[0]).bytes(4, op);
  for (const [name, value] of Object.entries(attributes)) node.message(5, attributeMessage(name, value));
  return node;
}

/** Their kinds are numbered, too: AttributeProto.AttributeType. */
function attributeMessage(name: string, value: OnnxAttribute): ProtoWriter {
  const attribute = new ProtoWriter().bytes(1, name);
  if ('float' in value) return attribute.float(2, value.float).integer(20, 1);
  if ('int' in value) return attribute.integer(3, value.int).integer(20, 2);
  for (const int of value.ints) attribute.integer(8, int);
  return attribute.integer(20, 7);
}

function tensorMessage({ name, shape, data }: OnnxTensor): ProtoWriter {
  const tensor = new ProtoWriter();
  for (const size of shape) tensor.integer(1, size);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const type = data instanceof Float32Array ? TYPES.float : TYPES.int64;
  return tensor.integer(2, type).bytes(8, name).bytes(9, bytes);
}

function valueMessage({ name, type, shape }: OnnxValue): ProtoWriter {
  const axes = new ProtoWriter();
  for (const axis of shape) {
    const dimension = new ProtoWriter();
    axes.message(1, typeof axis === 'number' ? dimension.integer(1, axis) : dimension.bytes(2, axis));
  }
  const tensor = new ProtoWriter().integer(1, TYPES[type]).message(2, axes);
  return new ProtoWriter().bytes(1, name).message(2, new ProtoWriter().message(1, tensor));
}
