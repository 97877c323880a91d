import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Site } from '../../src/report/analysis-data.js';
import { heatLegend, heatMap } from '../../src/report/heat-map.js';

const SITES: Site[] = [
  { stack: 'decoder', layer: 0, sublayer: 'self' },
  { stack: 'decoder', layer: 0, sublayer: 'encoder' },
  { stack: 'decoder', layer: 0, sublayer: 'fc' },
];

test('a cell for each share, as strong as its square root', () => {
  const svg = heatMap('decoder', SITES, [
    [0.75, 0.25],
    [0.5, 0.25, 0.25],
    [0, 0.5, 0.25, 0.25],
  ]);
  assert.equal(svg.match(/class="cell"/g)?.length, 8); // none for 0
  assert.match(svg, /fill-opacity="0\.500"><title>self-attention 1 on self-attention 1: 0\.25</);
  assert.match(svg, /feed-forward 1 on self-attention 1: 0\.5</);
  assert.match(svg, /self-attention 1 on embeddings: 0\.75</);
  assert.match(svg, /<desc>3 sublayers\. On average a share of 0\.25 /);
  assert.doesNotMatch(svg, /NaN/);
});

test('shares that are no numbers leave their cells empty', () => {
  const svg = heatMap('x', SITES.slice(0, 1), [[Number.NaN, Number.NaN]]);
  assert.doesNotMatch(svg, /class="cell"/);
});

test('many sublayers keep the numbers of some layers alone', () => {
  const sites = Array.from({ length: 96 }, (_, layer): Site => ({ stack: 'encoder', layer, sublayer: 'fc' }));
  const svg = heatMap(
    'deep',
    sites,
    sites.map((_, i) => new Array(i + 2).fill(1 / (i + 2))),
  );
  assert.equal(svg.match(/class="tick"/g)?.length, 1 + 2 * 5);
});

test('the legend names its colours', () => {
  assert.match(heatLegend(), /fill-opacity="0\.500".*>0\.25</);
});
