import assert from 'node:assert/strict';
import { test } from 'node:test';
import { divergenceMap, htmlPanel, markdownPanel } from '../../src/report/sweep-map.js';
import type { SweepAxis } from '../../src/report/sweep-results.js';
import { sampleGroup, sampleReport } from './sweep-samples.js';

test('a panel for each value of the axes beside two numeric ones', () => {
  const panels = divergenceMap(sampleReport());
  assert.deepEqual(
    panels.map(({ caption, across, down }) => [caption, across.label, down.label]),
    [
      ['residual post-ln', 'lr', 'warmup-updates'],
      ['residual admin', 'lr', 'warmup-updates'],
    ],
  );
  const [postLn, admin] = panels;
  assert.deepEqual(
    postLn.cells.map((row) => row.map((cell) => `${cell?.letters} ${cell?.verdict}`)),
    [
      ['CP plateau', 'DP diverged', 'DP diverged'],
      ['CP plateau', 'DP diverged', '·F failed'],
    ],
  );
  assert.equal(admin.cells[0][2], null);
  assert.match(
    markdownPanel(admin),
    /^\*\*residual admin\*\*\n\n\| warmup-updates \\ lr \| 0\.001 \| 0\.003 \| 0\.01 \|\n/,
  );
  assert.match(markdownPanel(admin), /\| 0 \| CC 5\.89 \| CC 5\.89 \| {2}\|/);
  assert.match(
    htmlPanel(admin),
    /<td class="converged" title="converged"><b>CC<\/b> <span>5\.89<\/span><\/td>/,
  );
});

/** The values of every cell of a grid. */
const gridOf = (axes: readonly SweepAxis[]): string[][] =>
  axes.reduce<string[][]>((rows, { values }) => rows.flatMap((row) => values.map((x) => [...row, x])), [[]]);

test('every pair of three numeric axes; one numeric axis goes across; one axis makes no map', () => {
  const numeric = (label: string): SweepAxis => ({ key: label, label, values: ['1', '2'], numeric: true });
  const named: SweepAxis = { key: 'scheme', label: 'scheme', values: ['x', 'y'], numeric: false };
  const pairs = (axes: SweepAxis[], rows = gridOf(axes)) => {
    const groups = rows.map((values) => sampleGroup(values, ['converged']));
    const panels = divergenceMap({ title: '', facts: [], listed: false, axes, groups, signatures: [] });
    return [...new Set(panels.map(({ across, down }) => `${across.label} ${down.label}`))];
  };
  const three = [numeric('a'), numeric('b'), numeric('c')];
  assert.deepEqual(pairs(three), ['a b', 'a c', 'b c']);
  assert.deepEqual(pairs([named, numeric('a')]), ['a scheme']);
  assert.deepEqual(pairs([numeric('a')]), []);
  const apart = [
    ['1', '1', '1'],
    ['2', '2', '1'],
  ];
  assert.deepEqual(pairs(three, apart), [], 'panels half empty are no map');
});
