import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lettersOf, spread, type TestResult, worstVerdict } from '../../src/report/sweep-results.js';
import { cellTable, groupTable, htmlTable, markdownTable } from '../../src/report/sweep-table.js';
import { AXES, sampleCell, sampleGroup, sampleReport } from './sweep-samples.js';

test('mean and sample standard deviation', () => {
  assert.deepEqual(spread([1, 2, 3]), { mean: 2, deviation: 1 });
  assert.deepEqual(spread([5]), { mean: 5, deviation: null });
});

test('verdicts of a group', () => {
  const { cells } = sampleGroup(['1', '2', '3'], ['converged', 'diverged', 'plateau']);
  assert.deepEqual([lettersOf(cells), worstVerdict(cells)], ['CDP', 'diverged']);
});

test('a row for each group: mean ± deviation, of how many where some have none', () => {
  const test = { bleu: 20, chrf: 50 };
  const first = {
    ...sampleGroup(['0.001', '0', 'admin'], []),
    cells: [sampleCell('a', 1, 'converged', { test })],
  };
  const cells = [
    sampleCell('b', 1, 'converged', { test, best: { updates: 1, loss: 4, nll: 3 } }),
    sampleCell('b', 2, 'converged', { test: { bleu: 22, chrf: 50 }, best: { updates: 1, loss: 5, nll: 4 } }),
    sampleCell('b', 3, 'failed', { best: null }),
  ];
  const significance = {
    ...{ seeds: 1, bleu: { p: 0.0004, finding: 'differs' } as const },
    chrf: { p: 0.25, finding: 'may be chance' } as const,
  };
  const second = { ...sampleGroup(['0.003', '0', 'admin'], []), cells, significance };
  const { heads, rows } = groupTable({
    title: 't',
    facts: [],
    listed: false,
    axes: AXES,
    groups: [first, second],
    signatures: ['BLEU: x'],
  });
  const row = Object.fromEntries(
    heads.map((head, i) => [`${head}${heads.indexOf(head) === i ? '' : ' chrf'}`, rows[1].cells[i]]),
  );
  assert.deepEqual(row, {
    ...{ lr: '0.003', 'warmup-updates': '0', residual: 'admin', verdict: 'CCF', seeds: '3' },
    ...{ 'best valid loss': '4.500 ± 0.707 (2)', ppl: '12.00 ± 5.66 (2)', updates: '200' },
    ...{ 'tokens/s': '1002 ± 1', time: '1m05s' },
    ...{ 'test BLEU': '21.00 ± 1.41 (2)', p: '<0.001*', 'test chrF': '50.00 ± 0.00 (2)', 'p chrf': '0.250' },
  });
  assert.deepEqual(rows[0].cells.slice(-4), ['20.00', '', '50.00', '']);
});

test('equal groups have no p, and a small p no star where chance may do it', () => {
  const pOf = (p: number, finding: TestResult['finding']): string => {
    const own = { p, finding };
    const groups = [null, { seeds: 1, bleu: own, chrf: own }].map((significance) => ({
      ...sampleGroup(['0.001', '0', 'admin'], ['converged']),
      significance,
    }));
    const report = { title: 't', facts: [], listed: false, axes: AXES, groups, signatures: ['BLEU: x'] };
    return groupTable(report).rows[1].cells.at(-1)!;
  };
  assert.equal(pOf(0.0001, 'same text'), 'same text');
  assert.equal(pOf(0.0001, 'same counts'), 'same counts');
  assert.equal(pOf(0.0001, 'may be chance'), '<0.001');
  assert.equal(pOf(0.0301, 'differs'), '0.030*');
});

test('Markdown is aligned, and HTML is escaped and coloured', () => {
  const lines = markdownTable(groupTable(sampleReport())).split('\n');
  assert.equal(new Set(lines.map(({ length }) => length)).size, 1);
  assert.match(lines[1], /^\| -+ \| -+ \| -+ \| -+ \| -+: \|/);
  const group = sampleGroup(['<', '|', '&'], ['plateau']);
  const report = { title: '', facts: [], listed: false, axes: AXES, groups: [group], signatures: [] };
  assert.match(
    htmlTable(groupTable(report)),
    /<th scope="row">&lt;<\/th><td>\|<\/td>.*<span class="verdict plateau">P</,
  );
  assert.match(markdownTable(groupTable(report)), /\\\|/);
  assert.match(htmlTable(cellTable(report)), /<span class="verdict plateau">plateau<\/span>/);
});

test('listed cells, and a sweep without axes, go by their names', () => {
  const group = sampleGroup(['1', '2', '3'], ['plateau']);
  const report = { title: '', facts: [], listed: true, axes: AXES, groups: [group], signatures: [] };
  for (const own of [report, { ...report, listed: false, axes: [] }]) {
    const { heads, rows } = groupTable(own);
    assert.deepEqual(
      [heads.slice(0, 2), rows[0].cells.slice(0, 2)],
      [
        ['cell', 'verdict'],
        [group.name, 'P'],
      ],
    );
  }
});
