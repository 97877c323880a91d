import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { campaign } from '../../scripts/campaign-damage.js';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { program, scratchFolder, writeFiles } from '../pipeline/program.js';

const CONFIG = `
data: { source-lang: toa, target-lang: tob, root: corpus, train: train, valid: valid, destdir: data,
        tokenizer: { vocab-size: 120 } }
model: { residual: admin, embed-dim: 8, ffn-embed-dim: 8, attention-heads: 2,
         encoder: { layers: 1 }, decoder: { layers: 1 } }
train: { save-dir: run, max-tokens: 200, max-update: 2, save-interval-updates: 1, keep-last: 0, validate-interval: 0 }
`;

test('every damage to a run or its dataset is found or harmless', (t) => {
  const folder = scratchFolder('damage');
  writeToyCorpus(path.join(folder, 'corpus'), { pairs: 100 });
  writeFiles(folder, { 'toy.yaml': CONFIG });
  const { status, stderr } = program(folder, ['train', 'toy.yaml']);
  assert.equal(status, 0, stderr);
  const [run, dataset] = ['run', 'data'].map((name) => path.join(folder, name));
  const { missed, slowest, memory, counts } = campaign({ run, dataset, count: 120, seed: 7, children: 2 });
  assert.deepEqual(missed, []);
  assert.ok(Object.keys(counts).length > 15, Object.keys(counts).join(' '));
  assert.ok(slowest < 10_000 && memory < 512, `${slowest} ms, ${memory} MiB`);
  t.diagnostic(`${JSON.stringify(counts)}`);
});
