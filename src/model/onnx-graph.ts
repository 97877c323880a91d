import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from '../formats/onnx.js';
import type { WeightValues } from './transformer.js';

/** Puts a graph of ONNX together, operator by operator. Values go by name. */
export class GraphBuilder {
  private readonly nodes: OnnxNode[] = [];
  private readonly weights = new Map<string, OnnxTensor>();
  private readonly inputs: OnnxValue[] = [];
  private readonly outputs: OnnxValue[] = [];

  input(name: string, type: OnnxValue['type'], shape: OnnxValue['shape']): string {
    this.inputs.push({ name, type, shape });
    return name;
  }

  /** Gives a value away under a name. */
  output(name: string, value: string, shape: OnnxValue['shape']): void {
    this.nodes.push({ op: 'Identity', inputs: [value], outputs: [name], attributes: {} });
    this.outputs.push({ name, type: 'float', shape });
  }

  /** A tensor of floats; one name is one tensor. */
  weight(name: string, make: () => WeightValues): string {
    if (!this.weights.has(name)) this.weights.set(name, { name, ...make() });
    return name;
  }

  /** A scalar. */
  float(value: number): string {
    return this.weight(`float_${value}`, () => ({ shape: [], data: Float32Array.of(value) }));
  }

  /** A scalar, or a list. */
  int(value: number | readonly number[]): string {
    const values = typeof value === 'number' ? [value] : value;
    const name = `${typeof value === 'number' ? 'int' : 'ints'}_${values.join('_')}`;
    const shape = typeof value === 'number' ? [] : [values.length];
    this.weights.set(name, { name, shape, data: BigInt64Array.from(values, BigInt) });
    return name;
  }

  /** An operator with one output. */
  op(op: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}): string {
    return this.ops(op, inputs, 1, attributes)[0];
  }

  /** An operator with several. */
  ops(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Record<string, OnnxAttribute> = {},
  ): string[] {
    const place = this.nodes.length;
    const outputs = Array.from({ length: count }, (_, i) => `${op}_${place}${i === 0 ? '' : `_${i}`}`);
    this.nodes.push({ op, inputs, outputs, attributes });
    return outputs;
  }

  /** The length of an axis, a scalar. */
  lengthOf(value: string, axis: number): string {
    return this.op('Gather', [this.op('Shape', [value]), this.int(axis)], { axis: { int: 0 } });
  }

  finish(name: string): OnnxGraph {
    const { nodes, inputs, outputs } = this;
    return { name, nodes, weights: [...this.weights.values()], inputs, outputs };
  }
}
