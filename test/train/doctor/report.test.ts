import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import type { Facts } from '../../../src/train/doctor/facts.js';
import { REPORT_FILES, removeReports, writeReport } from '../../../src/train/doctor/report.js';
import { scratchFolder, tinyModelConfig, tinyTrainConfig } from '../tiny.js';

const FACTS: Facts = {
  ...{ failure: 'non-finite', update: 40, lr: 0.001, unigram: null, tokens: 100 },
  diagnosis: {
    cause: 'batch',
    first: {
      side: 'forward',
      what: 'branch',
      place: { stack: 'decoder', layer: 1, sublayer: 'fc' },
      parameter: null,
    },
    pairs: [7, 3],
  },
  history: {
    last: 40,
    nll: [...Array.from({ length: 30 }, (_, i) => 9 - i / 10), null, null, null],
    gradientNorm: [...Array.from({ length: 30 }, () => 1.25), null, null, null],
  },
  norms: [{ part: 'encoder layer 0', weight: 3.5, gradient: Number.NaN }],
  dependencies: [0.2, Number.NaN, 0.7].map((dependency, layer) => ({
    ...{ stack: 'encoder', layer, sublayer: 'self', shortcutVariance: 1, branchVariance: 1, dependency },
  })),
  train: tinyTrainConfig(),
  model: tinyModelConfig(),
};

test('both files: the whole of it for programs, what matters for people', () => {
  const folder = scratchFolder();
  const text = writeReport(folder, { summary: 'training diverged', facts: FACTS });
  assert.equal(fs.readFileSync(path.join(folder, REPORT_FILES.text), 'utf8'), text);
  assert.match(text, /^training diverged\n.*decoder layer 1, feed-forward: the branch \(forward\)/);
  assert.match(text, /\n\nWhat to do\n {2}- Look at the training pairs 7, 3 /);
  assert.match(text, / 37 +6\.1 +1\.25\n +38 +– +–\n\n/, 'the last finite update and the first after it');
  assert.match(
    text,
    / 0\.7 {2}encoder layer 2, self-attention\n +0\.2 {2}encoder layer 0, self-attention\n\n/,
  );
  assert.match(text, /encoder layer 0 +3\.5 +–\n$/);
  const report = JSON.parse(fs.readFileSync(path.join(folder, REPORT_FILES.json), 'utf8'));
  assert.deepEqual(
    [report.format, report.version, report.update, report.norms[0].gradient, report.advice[0].measure],
    ['admin-nmt/divergence', 1, 40, null, 'sentences'],
  );
  removeReports(folder);
  assert.deepEqual(fs.readdirSync(folder), []);
});
