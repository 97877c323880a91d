import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { loadConfig } from '../../src/config/load.js';
import { presets } from '../../src/config/presets.js';
import { configSchema, PRESET_NAMES } from '../../src/config/schema.js';

describe('presets', () => {
  for (const name of PRESET_NAMES) {
    test(`${name} is valid and breaks no rule`, () => {
      assert.ok(configSchema.safeParse(presets[name]).success);
      assert.deepEqual(loadConfig({ sets: [`preset=${name}`] }).warnings, []);
    });
  }

  test('IWSLT’14 De–En is the official recipe', () => {
    const { model, train, decode, seed } = loadConfig({ sets: ['preset=iwslt14-de-en'] }).config;
    assert.deepEqual([model.embedDim, model.ffnEmbedDim, model.attentionHeads], [512, 1024, 4]);
    assert.deepEqual([model.dropout, model.attentionDropout, model.activationDropout], [0.3, 0.1, 0.1]);
    assert.deepEqual(
      [train.optimizer, train.lr, train.warmupUpdates, train.weightDecay],
      ['radam', 7e-4, 6000, 1e-4],
    );
    assert.deepEqual([train.maxTokens, train.updateFreq, train.maxUpdate], [4096, 1, 100_000]);
    assert.deepEqual([decode.beam, decode.lenpen, decode.batchSize, seed], [5, 1, 128, 1111]);
  });

  test('WMT’14 En–De and En–Fr are the official recipes', () => {
    const german = loadConfig({ sets: ['preset=wmt14-en-de'] }).config;
    assert.deepEqual(
      [german.model.embedDim, german.model.ffnEmbedDim, german.model.dropout],
      [512, 2048, 0.1],
    );
    assert.deepEqual([german.train.maxTokens, german.train.updateFreq, german.train.lr], [8192, 4, 0.001]);
    assert.deepEqual([german.decode.beam, german.decode.lenpen], [4, 0.6]);
    const french = loadConfig({ sets: ['preset=wmt14-en-fr'] }).config;
    assert.deepEqual([french.train.maxTokens, french.train.updateFreq, french.train.lr], [8000, 80, 0.0007]);
    assert.deepEqual([french.decode.beam, french.decode.lenpen, french.train.maxEpoch], [5, 0.8, 50]);
  });
});

describe('configs/', () => {
  const folder = path.join(packageRoot(), 'configs');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml'))) {
    test(`${name} loads without a warning and names its schema`, () => {
      const file = path.join(folder, name);
      assert.deepEqual(loadConfig({ files: [file] }).warnings, []);
      assert.match(readFileSync(file, 'utf8'), /^# yaml-language-server: \$schema=\.\/schema\.json\n/);
    });
  }
});
