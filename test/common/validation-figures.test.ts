import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import {
  bestOf,
  FIGURE_NAMES,
  figureOf,
  formatFigure,
  nameScores,
  SCORE_NAMES,
  tellFigures,
  worthOf,
} from '../../src/common/validation-figures.js';

test('the greater the worth the better, whichever way a figure is', () => {
  assert.ok(worthOf('loss', 2) > worthOf('loss', 3));
  assert.ok(worthOf('bleu', 3) > worthOf('bleu', 2));
  assert.equal(bestOf('ppl', [undefined, 7, 5, 6]), 5);
  assert.equal(bestOf('chrf', [7, undefined, 8]), 8);
  assert.equal(bestOf('bleu', [undefined]), undefined);
});

test('a line tells what is there, a table in more decimals', () => {
  const found = { loss: 2.34567, nll_loss: 2, ppl: 4, chrf: 40.06 };
  assert.deepEqual(tellFigures(found, FIGURE_NAMES), ['loss 2.346', 'ppl 4.00', 'chrF 40.1']);
  assert.deepEqual(tellFigures(found, SCORE_NAMES), ['chrF 40.1']);
  assert.equal(formatFigure('chrf', 40.06), '40.06');
});

test('scores are listed in words', () => {
  assert.match(nameScores(), /^BLEU(, \w+)* and \w+$/);
  assert.match(
    nameScores((name) => name),
    /^bleu(, \w+)* and \w+$/,
  );
});

test('a score has a chart and decimals in a line, or nobody would see it', () => {
  for (const name of SCORE_NAMES) {
    assert.notEqual(figureOf(name).chart, null, name);
    assert.notEqual(figureOf(name).told, null, name);
  }
});

/** Where several figures may be named together: the table, what computes them, and the commands that score text. */
const NAMERS = [
  'common/validation-figures.ts',
  'train/meter.ts',
  'report/likelihood-table.ts',
  'workflows/sweep/test-text.ts',
  'workflows/score/metrics.ts',
  'library/score.ts',
  'cli/score-command.ts',
  'cli/examples.ts',
  'config/search-keys.ts', // by which translations are alike
  'decode/minimum-risk.ts',
];

test('no other file lists the figures', () => {
  const source = path.join(packageRoot(), 'src');
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    const file = name.split(path.sep).join('/');
    if (!file.endsWith('.ts') || file.startsWith('metrics/') || NAMERS.includes(file)) continue;
    const code = readFileSync(path.join(source, file), 'utf8').replace(
      /\/\*\*[\s\S]*?\*\/|'[^'\n]* [^'\n]*'/g,
      '',
    );
    const named = FIGURE_NAMES.filter((figure) => new RegExp(`\\b${figure}\\b`).test(code));
    const lists = named.filter((figure) => figure !== 'loss'); // which is much else, too
    assert.ok(lists.length < 2, `src/${file} names ${lists.join(', ')}`);
  }
});
