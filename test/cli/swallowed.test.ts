import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommandLine } from '../../src/cli/program.js';
import { UserError } from '../../src/common/errors.js';

const said = async (line: string): Promise<string> => {
  try {
    await runCommandLine(line.split(' '));
  } catch (error) {
    return error instanceof UserError ? error.complaints.map(({ hint }) => hint).join() : String(error);
  }
  return assert.fail(`${line}: expected an error`);
};

test('an option that has taken the argument is named, and the order that is meant', async () => {
  const takes = (option: string, rest: string) => `${option} takes every word up to the next option. ${rest}`;
  assert.equal(
    await said('score -i hyp ref'),
    takes('--input', 'Put the reference before it: admin-nmt score ref --input hyp'),
  );
  assert.equal(
    await said('score --input hyp'),
    takes('--input', 'Put the reference before it: admin-nmt score REFERENCE --input hyp'),
  );
  assert.match(
    await said('score -i hyp -m bleu chrf ref'),
    /before it: admin-nmt score ref --metrics bleu chrf$/,
  );
  assert.equal(
    await said('analyze dependency --schemes post-ln pre-ln run'),
    takes('--schemes', 'Put the target before it: admin-nmt analyze dependency run --schemes post-ln pre-ln'),
  );
  assert.match(await said('average --inputs a b run'), /before it: admin-nmt average run --inputs a b$/);
  assert.equal(
    await said('analyze output-change --depths 6 12 config.yaml'),
    takes('--depths', 'What is none of its values goes before it.'),
  );
});

test('where nothing has been taken it is not said', async () => {
  for (const line of ['score', 'score ref --widht 3'])
    assert.doesNotMatch(await said(line), /takes every word/);
});
