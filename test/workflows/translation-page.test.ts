import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { SHOWN, TranslationPage } from '../../src/workflows/translation-page.js';

const ALIGNMENT = {
  source: ['a'],
  target: ['b'],
  links: [[0, 0]] as const,
  weights: [
    [1, 0],
    [0, 1],
  ],
};

test('a page has the first translations that have words, and says of how many; without its commit there is none', () => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-page-'));
  const file = path.join(folder, 'page.html');
  const page = new TranslationPage(file, []);
  for (let index = 0; index < SHOWN + 2; index++) {
    const hypothesis = { text: 'b', tokens: [], logProbs: [], total: 0, score: 0 };
    const alignment = index === 1 ? undefined : ALIGNMENT;
    page.add({ index, source: 'a', sourceTokens: [], hypotheses: [{ ...hypothesis, alignment }] });
  }
  page.commit();
  page.close();
  const written = fs.readFileSync(file, 'utf8');
  assert.equal(written.split('<section').length - 1, SHOWN);
  assert.match(written, new RegExp(`${SHOWN} of ${SHOWN + 2} lines`));
  assert.match(
    written,
    new RegExp(`id="line-${SHOWN + 1}"`),
    'the blank line is not counted among those shown',
  );
  const other = new TranslationPage(path.join(folder, 'other.html'), []);
  other.close();
  assert.deepEqual(fs.readdirSync(folder), ['page.html']);
  fs.rmSync(folder, { recursive: true });
});
