import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../../src/common/errors.js';
import type { SettledConfig } from '../../../src/config/schema.js';
import { Dictionary } from '../../../src/data/dictionary.js';
import { checkDictionaries } from '../../../src/workflows/analyze/models.js';
import type { TrainingData } from '../../../src/workflows/train/data.js';

const run = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-analysis-'));
after(() => fs.rmSync(run, { recursive: true, force: true }));

test('the dictionaries of a dataset are those of the run, on both sides', () => {
  const write = (name: string, words: string): Dictionary => {
    const file = path.join(run, name);
    fs.writeFileSync(file, [...words].map((word) => `${word} 1\n`).join(''));
    return Dictionary.load(file);
  };
  const [source, target] = [write('dict.de.txt', 'abcd'), write('dict.en.txt', 'efgh')];
  const other = write('other.txt', 'ijkl');
  const config = { data: { sourceLang: 'de', targetLang: 'en', destdir: 'data' } } as SettledConfig;
  const check = (data: Partial<TrainingData>) => checkDictionaries(run, config, data as TrainingData);
  check({ source, target });
  const refused = (language: string) => (error: unknown) =>
    error instanceof UserError && error.complaints[0].where === path.join('data', `dict.${language}.txt`);
  assert.throws(() => check({ source: other, target }), refused('de'));
  assert.throws(() => check({ source, target: other }), refused('en'));
});
