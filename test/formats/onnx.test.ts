import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { type OnnxGraph, OPSET, writeOnnx } from '../../src/formats/onnx.js';
import { type ProtoField, protoFields } from '../../src/tokenizer/protobuf.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-onnx-format-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** y = x + w, and an attribute of each kind. */
const GRAPH: OnnxGraph = {
  name: 'sum',
  nodes: [
    {
      op: 'Add',
      inputs: ['x', 'w'],
      outputs: ['y'],
      attributes: { axis: { int: -1 }, epsilon: { float: 0.5 }, perm: { ints: [1, 0] } },
    },
  ],
  weights: [
    { name: 'w', shape: [1, 3], data: Float32Array.of(1.5, -2, 3) },
    { name: 'n', shape: [], data: BigInt64Array.of(-7n) },
  ],
  inputs: [{ name: 'x', type: 'float', shape: ['batch', 3] }],
  outputs: [{ name: 'y', type: 'int64', shape: [] }],
};

/** The fields of a message with a number, read again. */
function fields(bytes: Buffer, number: number): ProtoField[] {
  return [...protoFields(bytes)].filter((field) => field.number === number);
}
const message = (bytes: Buffer, ...numbers: number[]): Buffer =>
  numbers.reduce((inner, number) => fields(inner, number)[0].bytes!, bytes);
const text = (bytes: Buffer, number: number): string[] =>
  fields(bytes, number).map((field) => field.bytes!.toString());
const integers = (bytes: Buffer, number: number) => fields(bytes, number).map(({ integer }) => integer);

test('a graph in the numbers of onnx.proto', () => {
  const file = path.join(folder, 'sum.onnx');
  writeOnnx(file, GRAPH);
  const model = fs.readFileSync(file);
  assert.deepEqual([integers(model, 1), integers(message(model, 8), 2)], [[8], [OPSET]]);
  const graph = message(model, 7);
  const node = message(graph, 1);
  assert.deepEqual([text(node, 1), text(node, 2), text(node, 4)], [['x', 'w'], ['y'], ['Add']]);
  const [axis, epsilon, perm] = fields(node, 5).map(({ bytes }) => bytes!);
  assert.deepEqual([text(axis, 1), integers(axis, 3), integers(axis, 20)], [['axis'], [-1], [2]]);
  assert.deepEqual([fields(epsilon, 2)[0].float, integers(epsilon, 20)], [0.5, [1]]);
  assert.deepEqual([integers(perm, 8), integers(perm, 20)], [[1, 0], [7]]);
  const [w, n] = fields(graph, 5).map(({ bytes }) => bytes!);
  assert.deepEqual([integers(w, 1), integers(w, 2), text(w, 8)], [[1, 3], [1], ['w']]);
  const raw = message(w, 9);
  assert.deepEqual(
    [0, 4, 8].map((at) => raw.readFloatLE(at)),
    [1.5, -2, 3],
  );
  assert.deepEqual([integers(n, 1), integers(n, 2), message(n, 9).readBigInt64LE()], [[], [7], -7n]);
  const axes = fields(message(graph, 11, 2, 1, 2), 1).map(({ bytes }) => bytes!);
  assert.deepEqual([text(axes[0], 2), integers(axes[1], 1)], [['batch'], [3]]);
  assert.deepEqual(integers(message(graph, 12, 2, 1), 1), [7]);
});

test('a model that is too large for the format is refused, and nothing is written', () => {
  const file = path.join(folder, 'large.onnx');
  assert.throws(() => writeOnnx(file, GRAPH, 100), /at most 100 bytes, found a model that takes \d+/);
  assert.ok(!fs.existsSync(file));
});
