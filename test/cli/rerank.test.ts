import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { done, refused } from './outcomes.js';
import { type Outcome, runProgram } from './run-program.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-rerank-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const rerank = (...args: string[]): Outcome => runProgram(['rerank', ...args], { cwd: folder });
const write = (name: string, ...lines: string[]): void =>
  fs.writeFileSync(path.join(folder, name), lines.map((line) => `${line}\n`).join(''));

write(
  'list',
  '1 ||| a cat ||| F0=-1 ||| -1',
  '1 ||| the dogs play ||| F0=-3 ||| -3',
  '1 ||| the dog plays ||| F0=-2 ||| -2',
  '3 ||| x ||| F0=0 ||| 0',
);

test('the list in another order, or the best of each sentence, with blank lines for those that are left out', () => {
  const { stdout } = done(rerank('list'));
  assert.deepEqual(
    stdout
      .replace(/Utility= [\d.]+ /g, '')
      .trimEnd()
      .split('\n'),
    [
      '1 ||| the dog plays ||| F0=-2 ||| -2',
      '1 ||| the dogs play ||| F0=-3 ||| -3',
      '1 ||| a cat ||| F0=-1 ||| -1',
      '3 ||| x ||| F0=0 ||| 0',
    ],
  );
  const best = done(rerank('list', '--best', '--mbr', 'bleu'));
  assert.equal(best.stdout, '\nthe dog plays\n\nx\n');
  assert.match(
    best.stderr,
    /^warning: sentences without a translation in the list: 2; their lines are blank\n$/,
  );
});

test('BLEU parts words as the language of the translations does', () => {
  write('zh', '0 ||| 猫 ||| F0=0 ||| 0', '0 ||| 狗在雪里 ||| F0=0 ||| 0', '0 ||| 狗在雪中 ||| F0=0 ||| 0');
  assert.equal(done(rerank('zh', '--mbr', 'bleu', '--best', '-l', 'zh')).stdout, '狗在雪中\n');
});

test('what is no list, or out of order, is told by its line, and no file is written', () => {
  write('wrong', '0 ||| a ||| F0=0 ||| 0', 'b');
  refused(rerank('wrong', '-o', 'out'), /^error: wrong:2: expected a list of translations, found 'b'\n/);
  write('falling', '1 ||| a ||| F0=0 ||| 0', '0 ||| b ||| F0=0 ||| 0');
  refused(rerank('falling', '-o', 'out'), /^error: falling:2: expected translations in the order of their/);
  write('far', '5000000 ||| a ||| F0=0 ||| 0');
  refused(rerank('far', '--best', '-o', 'out'), /^error: far: expected a translation for each sentence/);
  refused(rerank('list', '--mbr', 'ter', '-o', 'out'), /Allowed choices are chrf, bleu/);
  refused(rerank('absent'), /absent/);
  assert.ok(!fs.existsSync(path.join(folder, 'out')));
  write('none');
  assert.equal(done(rerank('none')).stdout, '');
});
