import assert from 'node:assert/strict';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { log } from '../../src/common/log.js';
import { loadRunConfig } from '../../src/config/load.js';
import { locateCheckpoint } from '../../src/decode/checkpoint-location.js';
import { checkNbest, OpenModel } from '../../src/workflows/open-model.js';

const run = path.join(packageRoot(), 'test/cli/fixtures/run-v1');
const { config } = loadRunConfig(run, {
  files: [{ backend: 'cpu', decode: { 'max-len-a': 0, 'max-len-b': 3 } }],
});
const messages: string[] = [];
let model: OpenModel;

before(async () => {
  log.setListener((level, message) => messages.push(`${level}: ${message}`));
  model = await OpenModel.open(locateCheckpoint(run), config);
});
after(() => model.dispose());

async function* given(lines: readonly string[]) {
  yield* lines;
}

test('of a line that is too long it is said which, and how it is cut', async () => {
  messages.length = 0;
  const { maxPositions } = config.model;
  const long = (words: number): string => Array(words).fill('a').join(' ');
  for await (const _ of model.translate(given(['a', long(maxPositions), long(maxPositions - 1)])));
  assert.deepEqual(messages, [
    `warning: line 2: ${maxPositions + 1} tokens, cut to the ${maxPositions} positions of the model`,
  ]);
});

test('as many translations of a sentence as the search is wide, and no more', () => {
  checkNbest({ ...config.decode, beam: 3, nbest: 3 });
  assert.throws(
    () => checkNbest({ ...config.decode, beam: 3, nbest: 4 }),
    /decode\.nbest: expected nbest to be at most beam, found nbest 4 and beam 3\n {2}Use --beam 4/,
  );
});
