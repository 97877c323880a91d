import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import type { ModelConfig } from '../../src/config/schema.js';
import { EOS, PAD } from '../../src/data/dictionary.js';
import { writeOnnx } from '../../src/formats/onnx.js';
import { onnxGraphs } from '../../src/model/onnx-model.js';
import { RESIDUALS, tinyConfig, useBackend, VOCABULARY } from './models.js';
import { loadOnnxRuntime, OnnxModel, WITHOUT_RUNTIME } from './onnx-runtime.js';
import { farthest, randomModel, stepwiseLogProbs } from './random-model.js';

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
    const { model, weights } = randomModel(config, VOCABULARY);
    const expected = await stepwiseLogProbs(model, SOURCES, TARGETS);
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
