import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCORE_HEADING, SCORE_KEYS } from '../../src/cli/score-keys.js';
import { configKeys, configSections } from '../../src/config/keys.js';

test('the keys of score are written out as the schema has them', () => {
  const keys = [...configKeys.values()].filter(({ path }) => path.startsWith('score.'));
  assert.deepEqual(
    SCORE_KEYS,
    keys.map(({ resume, ...key }) => key),
  );
  assert.equal(SCORE_HEADING, `score — ${configSections.get('score')?.text}`);
});
