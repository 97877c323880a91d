import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { program, scratchFolder } from './program.js';

/**
 * From nothing to a BLEU score, as a person would run it. The config is that of the demo, whose full
 * training reaches 90 BLEU; here it is stopped early, at a score that no copy and no word-by-word model reaches.
 */
const UPDATES = 350; // BLEU is 60 after about 250, 97 here

/** 1 − 2 · links that are right / links of both (Och and Ney 2003, where all are sure). */
function alignmentError(found: readonly string[], right: readonly string[]): number {
  const linksOf = (line: string): string[] => line.split(' ').filter((link) => link !== '');
  let [hits, all] = [0, 0];
  found.forEach((line, i) => {
    const known = new Set(linksOf(right[i]));
    hits += linksOf(line).filter((link) => known.has(link)).length;
    all += linksOf(line).length + known.size;
  });
  return 1 - (2 * hits) / all;
}

test('the five commands on the toy corpus', (t) => {
  const folder = scratchFolder('toy');
  writeToyCorpus(path.join(folder, 'admin-nmt-demo', 'corpus'));
  const config = path.join(packageRoot(), 'configs', 'toy.yaml');
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = program(folder, args);
    assert.equal(status, 0, `admin-nmt ${args.join(' ')}\n${stderr}`);
    return stdout;
  };
  const bleu = (hypothesis: string): number =>
    JSON.parse(run('score', 'admin-nmt-demo/corpus/test.tob', '-i', hypothesis)).score;

  run('preprocess', config);
  assert.match(run('train', config, '--dry-run'), /^Epoch .*\nTraining .*\nWork .*\nMemory .*\nDisk /);
  assert.equal(fs.existsSync(path.join(folder, 'admin-nmt-demo', 'run')), false);
  assert.match(run('profile', config), /encoder.*self/);
  run(
    ...['train', config, '--max-update', String(UPDATES), '--eval-bleu', '--stop-after', '1h'],
    ...['--validate-interval', '0', '--validate-interval-updates', String(UPDATES)],
  );
  run('translate', 'admin-nmt-demo/run', '--input', 'admin-nmt-demo/corpus/test.toa', '--output', 'hyp');

  const lines = (file: string): number => fs.readFileSync(path.join(folder, file), 'utf8').split('\n').length;
  assert.equal(lines('hyp'), lines('admin-nmt-demo/corpus/test.toa'));
  const copied = bleu('admin-nmt-demo/corpus/test.toa');
  const score = bleu('hyp');
  t.diagnostic(`BLEU ${score} after ${UPDATES} updates; copying the source scores ${copied}`);
  assert.ok(copied < 5, `copying the source scores ${copied}`);
  assert.ok(score > 60, `BLEU ${score}`);

  const texts = ['-s', 'admin-nmt-demo/corpus/test.toa', '-t', 'admin-nmt-demo/corpus/test.tob'];
  const aligned = run('evaluate', 'admin-nmt-demo/run', ...texts, '--alignment', 'hard');
  const error = alignmentError(
    aligned.split('\n').map((line) => line.replace(/^.* \|\|\| /, '')),
    fs.readFileSync(path.join(folder, 'admin-nmt-demo/corpus/test.align'), 'utf8').split('\n'),
  );
  t.diagnostic(`alignment error rate ${error.toFixed(3)}`);
  assert.ok(error < 0.2, `alignment error rate ${error}`);

  const metrics = fs
    .readFileSync(path.join(folder, 'admin-nmt-demo', 'run', 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const validation = metrics.map((line) => JSON.parse(line)).findLast(({ event }) => event === 'valid');
  assert.ok(validation.bleu > 60 && validation.chrf > 60, JSON.stringify(validation));
  assert.ok(fs.existsSync(path.join(folder, 'admin-nmt-demo', 'run', 'admin-profile.json')));
});
