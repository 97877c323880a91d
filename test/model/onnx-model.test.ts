import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import type { ModelConfig } from '../../src/config/schema.js';
import { pack } from '../../src/data/batch.js';
import { EOS, PAD } from '../../src/data/dictionary.js';
import { writeOnnx } from '../../src/formats/onnx.js';
import { IncrementalDecoder } from '../../src/model/incremental.js';
import { onnxGraphs } from '../../src/model/onnx-model.js';
import { Transformer, type WeightValues } from '../../src/model/transformer.js';
import { RESIDUALS, tinyConfig, useBackend, VOCABULARY } from './models.js';
import { loadOnnxRuntime, OnnxModel, WITHOUT_RUNTIME } from './onnx-runtime.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-onnx-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
before(() => useBackend('cpu'));

const runtime = await loadOnnxRuntime();
const skip = runtime === undefined ? WITHOUT_RUNTIME : false;

const SOURCES = [
  [5, 9, 7, 12, EOS],
  [4, EOS],
];
const TARGETS = [
  [7, 4, 12, 6],
  [11, 5, 5, 9],
];

/** A model whose weights, ω and biases among them, are none of those that do nothing. */
function randomModel(config: ModelConfig): { model: Transformer; weights: Map<string, WeightValues> } {
  const initial = Transformer.create(config, VOCABULARY, 3);
  let state = 11;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  };
  const weights = new Map(
    [...initial.weights].map(([name, { shape, size }]) => {
      const data = Float32Array.from({ length: size }, random);
      const around = /norm\.weight|ratio_change/.test(name) ? 1 : 0;
      return [name, { shape, data: data.map((value) => around + value) }];
    }),
  );
  initial.dispose();
  return { model: Transformer.fromWeights(config, VOCABULARY, weights), weights };
}

/** Log-probabilities of this program, [row][token][id]. */
async function ours(model: Transformer): Promise<Float32Array[][]> {
  const decoder = new IncrementalDecoder(model);
  const state = decoder.start();
  state.add(pack(SOURCES));
  const found: Float32Array[][] = SOURCES.map(() => []);
  for (let k = 0; k <= TARGETS[0].length; k++) {
    const all = await state.distribution(
      Int32Array.from(TARGETS, (target) => (k === 0 ? EOS : target[k - 1])),
    );
    const size = VOCABULARY.target;
    found.forEach((row, i) => {
      row.push(all.slice(i * size, (i + 1) * size));
    });
  }
  state.dispose();
  decoder.dispose();
  return found;
}

function farthest(found: Float32Array[][], expected: Float32Array[][]): number {
  let apart = 0;
  expected.forEach((row, i) => {
    row.forEach((values, k) => {
      values.forEach((value, id) => {
        const difference = Math.abs(value - found[i][k][id]);
        apart = Math.max(apart, Number.isNaN(difference) ? Infinity : difference);
      });
    });
  });
  return apart;
}

const CASES: [name: string, config: Partial<ModelConfig>][] = [
  ...RESIDUALS.map((residual): [string, Partial<ModelConfig>] => [residual, { residual }]),
  ['learned positions', { residual: 'post-ln', positions: 'learned' }],
  ['nothing shared', { residual: 'post-ln', shareEmbeddings: 'none', scaleEmbeddings: false }],
  [
    'as Marian',
    {
      residual: 'post-ln',
      outputBias: true,
      decoderStart: 'pad',
      shareEmbeddings: 'decoder',
      activationFn: 'swish',
    },
  ],
  [
    'GELU, unequal stacks',
    { residual: 'pre-ln', activationFn: 'gelu', encoder: { layers: 1 }, decoder: { layers: 3 } },
  ],
];

for (const [name, changes] of CASES) {
  test(`ONNX Runtime computes our log-probabilities: ${name}`, { skip }, async () => {
    const config = tinyConfig(changes);
    const { model, weights } = randomModel(config);
    const expected = await ours(model);
    model.dispose();
    const graphs = onnxGraphs(config, weights);
    const files = { encoder: path.join(folder, 'encoder.onnx'), decoder: path.join(folder, 'decoder.onnx') };
    writeOnnx(files.encoder, graphs.encoder);
    writeOnnx(files.decoder, graphs.decoder);
    const start = config.decoderStart === 'pad' ? PAD : EOS;
    const asked = await OnnxModel.load(runtime!, files, {
      decoder_layers: config.decoder.layers,
      decoder_attention_heads: config.attentionHeads,
      head_dim: config.embedDim / config.attentionHeads,
    });
    // Step by step, padded with any token.
    await asked.read(SOURCES, 8);
    const found: Float32Array[][] = SOURCES.map(() => []);
    for (let k = 0; k <= TARGETS[0].length; k++) {
      const steps = await asked.step(TARGETS.map((target) => [k === 0 ? start : target[k - 1]]));
      steps.forEach(([logProbs], i) => {
        found[i].push(logProbs);
      });
    }
    assert.ok(farthest(found, expected) < 1e-5, `steps differ by ${farthest(found, expected)}`);
    // All at once, after one that came first.
    await asked.read(SOURCES);
    const first = await asked.step(TARGETS.map(() => [start]));
    const rest = await asked.step(TARGETS);
    const together = first.map((row, i) => [...row, ...rest[i]]);
    assert.ok(farthest(together, expected) < 1e-5, `together they differ by ${farthest(together, expected)}`);
    await asked.release();
  });
}

test('a model that is too large for the format is refused, and nothing is written', () => {
  const { model, weights } = randomModel(tinyConfig({ residual: 'post-ln' }));
  model.dispose();
  const file = path.join(folder, 'large.onnx');
  const { encoder } = onnxGraphs(tinyConfig({ residual: 'post-ln' }), weights);
  assert.throws(() => writeOnnx(file, encoder, 1000), /at most 1000 bytes, found a model that takes \d+/);
  assert.ok(!fs.existsSync(file));
});
