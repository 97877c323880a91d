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

/** What has been read of some lines when each of their translations comes. */
async function readAhead(lines: readonly string[], chunk?: number): Promise<number[]> {
  let read = 0;
  async function* source() {
    for (const line of lines) {
      read++;
      yield line;
    }
  }
  const seen: number[] = [];
  for await (const { index } of model.translate(source(), { chunk })) seen[index] = read;
  return seen;
}

test('lines are grouped unless one is answered as it comes', async () => {
  assert.deepEqual(await readAhead(['a', 'b', 'c']), [3, 3, 3]);
  assert.deepEqual(await readAhead(['a', 'b', 'c'], 1), [1, 2, 3]);
});

test('of a line that is too long it is said which, and how it is cut', async () => {
  messages.length = 0;
  const { maxPositions } = config.model;
  await readAhead([
    'a',
    Array(maxPositions).fill('a').join(' '),
    Array(maxPositions - 1)
      .fill('a')
      .join(' '),
  ]);
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
