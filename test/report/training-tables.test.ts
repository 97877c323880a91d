import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceTable, summaryTable } from '../../src/report/training-tables.js';
import { trainingRun } from './training-lines.js';

test('the summary has a line for each run and marks the best', () => {
  const worse = trainingRun('<b>', { best: { loss: 6, updates: 20, epoch: 1 }, state: 'diverged' });
  const html = summaryTable([trainingRun('a'), worse]);
  assert.match(html, /a<\/th>.*finished.*<b title="the lowest">4\.500<\/b>.*24m00s.*1,000.*1,234/);
  assert.match(html, /&lt;b&gt;<\/th>.*✕<\/span> diverged.*>6\.000</);
});

test('the summary has the best scores of the runs that were translated', () => {
  assert.doesNotMatch(summaryTable([trainingRun('a')]), /BLEU|chrF/);
  const html = summaryTable([trainingRun('a', { bestScores: { bleu: 20.1, chrf: 44 } }), trainingRun('b')]);
  assert.match(html, /after<\/th><th[^>]*>Best BLEU<\/th><th[^>]*>Best chrF<\/th><th[^>]*>Last valid/);
  assert.match(html, /40<\/td><td class="number"><b title="the highest">20\.10<\/b><\/td>/);
});

test('a run without a line has dashes', () => {
  const none = { best: null, trainLoss: null, validLoss: null, speed: null, weights: null, lines: [] };
  const html = summaryTable([
    trainingRun('a', { state: 'empty', updates: 0, epoch: 0, seconds: 0, ...none }),
  ]);
  assert.equal(html.match(/–<\/span>/g)?.length, 6);
});

test('only keys that differ are listed, but for where the run is saved', () => {
  const settings = (lr: string, folder: string) =>
    new Map([
      ['train.lr', lr],
      ['train.save-dir', folder],
      ['model.residual', '"admin"'],
    ]);
  const run = (name: string, lr: string) => trainingRun(name, { settings: settings(lr, `"${name}"`) });
  const html = differenceTable([run('a', '0.1'), run('b', '"x<"')]);
  assert.match(html, /differ in one key/);
  assert.match(html, /train\.lr<\/code><\/th><td>0\.1<\/td><td>x&lt;<\/td>/);
  assert.doesNotMatch(html, /save-dir|residual/);
  assert.match(differenceTable([run('a', '1'), run('b', '1')]), /are the same/);
  assert.equal(differenceTable([run('a', '1')]), '');
});
