import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { done, refused } from './outcomes.js';
import { type Outcome, runProgram } from './run-program.js';
import { toyConfig } from './toy-run.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-guided-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const at = (...names: string[]) => path.join(folder, ...names);
const run = (...args: string[]): Outcome => runProgram(args, { cwd: folder });
const FLAGS = ['--align-suffix', 'align', '--guided-alignment', '0.5'];
const train = (...flags: string[]): Outcome => run('train', 'config.yaml', ...flags);
const metricsOf = (name: string): Record<string, number>[] =>
  fs
    .readFileSync(at(name, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

before(() => {
  writeToyCorpus(folder, { pairs: 200, valid: 12, test: 1 });
  const { data, ...config } = toyConfig({ 'max-update': 2 }, {});
  const tokenizer = { 'vocab-size': 120 };
  fs.writeFileSync(at('config.yaml'), JSON.stringify({ ...config, data: { ...data, tokenizer } }));
});

test('the dataset gets the alignments, training tells of them, and another head is another training', () => {
  const { stderr } = done(run('preprocess', 'config.yaml', '--align-suffix', 'align'));
  assert.match(stderr, /^ {2}alignment: \d+ links of tokens, \d+\.\d a pair$/m);
  assert.match(stderr, /^valid: 12 pairs\n.*\n.*\n {2}alignment: /m);
  const first = done(train(...FLAGS, '--save-dir', 'mean'));
  assert.match(first.stderr, /^Alignment: the mean of all heads of decoder layer 1, weight 0\.5$/m);
  done(train(...FLAGS, '--save-dir', 'head', '--alignment-head', '2'));
  const [mean, head] = ['mean', 'head'].map(metricsOf);
  for (const lines of [mean, head])
    assert.deepEqual(lines.map(({ event, alignment_loss: bits }) => [event, bits > 0]).slice(-2), [
      ['train', true],
      ['valid', true],
    ]);
  assert.notEqual(mean[0].alignment_loss, head[0].alignment_loss);
  const changed = done(train(...FLAGS, '--save-dir', 'head', '--max-update', '3', '--alignment-head', '1'));
  assert.match(changed.stderr, /decode\.alignment-head/, 'a notice');
  const weight = train('--align-suffix', 'align', '--save-dir', 'head', '--max-update', '4');
  refused(weight, /train\.guided-alignment/);
});

test('without a weight nothing of it is read or told', () => {
  const { stderr } = done(train('--align-suffix', 'align', '--save-dir', 'without'));
  assert.doesNotMatch(stderr, /^Alignment/m);
  assert.ok(metricsOf('without').every((line) => !('alignment_loss' in line)));
});

test('bad input: exit 2, and nothing of it stays', () => {
  const kept = fs.readFileSync(at('train.align'), 'utf8');
  const broken = (text: string, ...patterns: RegExp[]): void => {
    fs.writeFileSync(at('train.align'), text);
    const outcome = train(...FLAGS, '--save-dir', 'bad', '--destdir', 'bad-bin');
    for (const pattern of patterns) refused(outcome, pattern);
    for (const name of ['bad', 'bad-bin']) assert.equal(fs.existsSync(at(name)), false, name);
  };
  const lines = kept.split('\n');
  broken(lines.with(2, '0-0 1:1').join('\n'), /train\.align:3/, /found '1:1' as token 2/);
  broken(lines.with(6, '40-0').join('\n'), /train\.align:7/, /has word 40 of the source/);
  broken(lines.slice(0, -2).join('\n'), /as many lines in both files, found 200 in .* and 199 in/);
  fs.rmSync(at('train.align'));
  refused(train(...FLAGS, '--save-dir', 'bad', '--destdir', 'bad-bin'), /no such file, nor train\.align\.gz/);
  fs.writeFileSync(at('train.align'), kept);
  refused(train('--guided-alignment', '0.5', '--save-dir', 'bad'), /expected data\.align-suffix, found null/);
  const dropout = ['--bpe-dropout', '0.1', '--save-dir', 'bad'];
  refused(train(...FLAGS, ...dropout), /data\.bpe-dropout makes others in every epoch; found 0\.1/);
});

test('a data-bin of others without alignments is refused, one with them is trained on', () => {
  done(run('preprocess', 'config.yaml', '--destdir', 'plain-bin'));
  fs.rmSync(at('plain-bin', 'manifest.json'));
  const prepared = ['--prepared', '--guided-alignment', '0.5', '--save-dir', 'bad'];
  refused(
    train(...prepared, '--destdir', 'plain-bin'),
    /needs the alignments of the train split, found none/,
  );
  assert.equal(fs.existsSync(at('bad')), false);
  done(run('preprocess', 'config.yaml', '--destdir', 'linked-bin', '--align-suffix', 'align'));
  fs.rmSync(at('linked-bin', 'manifest.json'));
  done(train(...prepared.slice(0, -1), 'prepared', '--destdir', 'linked-bin'));
  assert.ok(metricsOf('prepared')[0].alignment_loss > 0);
});
