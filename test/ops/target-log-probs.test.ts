import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetLogProbs } from '../../src/ops/target-log-probs.js';
import { tf } from '../../src/ops/tf.js';
import { topLogProbs } from '../../src/ops/top-log-probs.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { matrix } from './samples.js';

onEachBackend(() => {
  test('by hand: probabilities ¼, ⅛, ½, ⅛; far from zero, too', async () => {
    const row = [2, 1, 4, 1].map(Math.log);
    const logits = tf.tensor2d([row, row.map((z) => z + 90), row.map((z) => z - 90)]);
    const found = await targetLogProbs(logits, Int32Array.of(0, 3, 2));
    logits.dispose();
    allClose(found, [0.25, 0.125, 0.5].map(Math.log), { absolute: 1e-5 });
  });

  test('the numbers that a search sees', async () => {
    const logits = matrix(7, 53);
    const { ids, logProbs } = await topLogProbs(logits, 1, [], 0);
    const found = await targetLogProbs(logits, ids);
    logits.dispose();
    allClose(found, logProbs, { absolute: 1e-6 });
    assert.equal(found.length, 7);
  });
});
