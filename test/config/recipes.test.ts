import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { loadConfig } from '../../src/config/load.js';

const folder = path.join(packageRoot(), 'configs', 'recipes');

describe('configs/recipes/', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml'))) {
    test(`${name} loads without a warning, names its schema, and is in docs/recipes.md`, () => {
      const file = path.join(folder, name);
      assert.deepEqual(loadConfig({ files: [file] }).warnings, []);
      assert.match(readFileSync(file, 'utf8'), /^# yaml-language-server: \$schema=\.\.\/schema\.json\n/);
      assert.ok(readFileSync(path.join(packageRoot(), 'docs', 'recipes.md'), 'utf8').includes(`\`${name}\``));
    });
  }

  const recipes: [files: string[], layers: number[], tokens: number, lr: number, dropout: number][] = [
    [['iwslt14-de-en'], [6, 6], 4096, 0.0007, 0.3],
    [['wmt14-en-de'], [6, 6], 8192 * 4, 0.001, 0.1],
    [['wmt14-en-de', 'wmt14-en-de-12l'], [12, 12], 8192 * 4, 0.001, 0.1],
    [['wmt14-en-de', 'wmt14-en-de-18l'], [18, 18], 8192 * 4, 0.001, 0.1],
    [['wmt14-en-de', 'wmt14-en-de-100l'], [100, 100], 4096 * 8, 0.001, 0.1],
    [['wmt14-en-fr'], [6, 6], 8000 * 8 * 10, 0.0007, 0.1],
    [['wmt14-en-fr', 'wmt14-en-fr-60l-12l'], [60, 12], 5000 * 16 * 16, 0.0007, 0.1],
    [['wmt14-en-fr', 'wmt14-en-fr-deepnmt'], [60, 12], 3200 * 16 * 8, 0.001, 0.2],
  ];
  for (const [files, layers, tokens, lr, dropout] of recipes) {
    test(`${files.at(-1)} has the numbers of the official script`, () => {
      const { model, train } = loadConfig({
        files: files.map((name) => path.join(folder, `${name}.yaml`)),
      }).config;
      assert.deepEqual([model.encoder.layers, model.decoder.layers], layers);
      assert.equal(Number(train.maxTokens) * train.updateFreq, tokens);
      assert.deepEqual([train.lr, model.dropout, train.averageLast], [lr, dropout, 10]);
    });
  }

  test('deepnmt decodes with a beam of 10', () => {
    const files = ['wmt14-en-fr.yaml', 'wmt14-en-fr-deepnmt.yaml'].map((name) => path.join(folder, name));
    const { decode } = loadConfig({ files }).config;
    assert.deepEqual([decode.beam, decode.lenpen, decode.batchSize], [10, 1, 256]);
  });
});
