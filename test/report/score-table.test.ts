import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatTable } from '../../src/report/score-table.js';

const HEADER = ['System', 'BLEU (μ ± 95% CI)', 'TER'];
const ROWS = [
  ['Baseline: a_b&c.txt', '36.3 (36.3 ± 1.2)', '1.0'],
  ['xy', '7.0 (7.1 ± 0.3) (p = 0.0010)*', '123.4'],
];

// As tabulate 0.8.9 sets them.
describe('a table', () => {
  test('as text, with a row of two lines', () => {
    const rows = ROWS.map((row) => row.map((cell) => cell.replace(') (', ')\n(')));
    assert.deepEqual(formatTable(HEADER, rows, 'text').split('\n'), [
      '╒═════════════════════╤═════════════════════╤═══════╕',
      '│              System │  BLEU (μ ± 95% CI)  │  TER  │',
      '╞═════════════════════╪═════════════════════╪═══════╡',
      '│ Baseline: a_b&c.txt │  36.3 (36.3 ± 1.2)  │  1.0  │',
      '├─────────────────────┼─────────────────────┼───────┤',
      '│                  xy │   7.0 (7.1 ± 0.3)   │ 123.4 │',
      '│                     │    (p = 0.0010)*    │       │',
      '╘═════════════════════╧═════════════════════╧═══════╛',
    ]);
  });

  test('as LaTeX, its special characters escaped', () => {
    assert.deepEqual(formatTable(HEADER, ROWS, 'latex').split('\n'), [
      '\\begin{tabular}{rcc}',
      '\\toprule',
      '              System &       BLEU (μ ± 95\\% CI)       &  TER  \\\\',
      '\\midrule',
      ' Baseline: a\\_b\\&c.txt &       36.3 (36.3 ± 1.2)       &  1.0  \\\\',
      '                  xy & 7.0 (7.1 ± 0.3) (p = 0.0010)* & 123.4 \\\\',
      '\\bottomrule',
      '\\end{tabular}',
    ]);
    assert.match(formatTable(['^~\\<{#$}>'], [], 'latex'), /\\\^\{\}\\textasciitilde\{\}\\textbackslash\{\}/);
  });

  test('as reStructuredText', () => {
    assert.deepEqual(formatTable(HEADER, ROWS, 'rst').split('\n'), [
      '===================  =============================  =====',
      '             System        BLEU (μ ± 95% CI)         TER',
      '===================  =============================  =====',
      'Baseline: a_b&c.txt        36.3 (36.3 ± 1.2)         1.0',
      '                 xy  7.0 (7.1 ± 0.3) (p = 0.0010)*  123.4',
      '===================  =============================  =====',
    ]);
  });

  test('as Markdown, every line of the same width', () => {
    const lines = formatTable(HEADER, ROWS, 'markdown').split('\n');
    assert.equal(lines[1], `|${'-'.repeat(20)}:|:${'-'.repeat(29)}:|:${'-'.repeat(5)}:|`);
    assert.equal(new Set(lines.map((line) => line.length)).size, 1);
  });

  test('colours take no room', () => {
    const painted = formatTable(['a', '\x1b[36mb\x1b[39m'], [['1', '\x1b[31m2\x1b[39m']], 'text');
    assert.equal(painted.replaceAll(/\x1b\[\d+m/g, ''), formatTable(['a', 'b'], [['1', '2']], 'text'));
  });
});
