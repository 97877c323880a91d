import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { done, refused } from './outcomes.js';
import { type Outcome, runProgram } from './run-program.js';
import { toyConfig } from './toy-run.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-evaluate-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const CONFIG = toyConfig({ 'max-update': 4, 'save-interval-updates': 2 }, { beam: 3, nbest: 3 });

const at = (...names: string[]) => path.join(folder, ...names);
const run = (...args: string[]): Outcome => runProgram(args, { cwd: folder });
const evaluate = (...flags: string[]): Outcome => run('evaluate', 'run', ...flags);
const linesOf = (text: string): string[] => text.trimEnd().split('\n');
const write = (name: string, ...lines: string[]): void =>
  fs.writeFileSync(at(name), lines.map((line) => `${line}\n`).join(''));

before(() => {
  writeToyCorpus(folder, { pairs: 200, valid: 12, test: 1 });
  fs.writeFileSync(at('config.yaml'), JSON.stringify(CONFIG));
  done(run('train', 'config.yaml'));
  done(run('train', 'config.yaml', '--save-dir', 'other', '--seed', '7'));
  for (const format of ['jsonl', 'nbest', 'fairseq'])
    done(run('translate', 'run', '-i', 'valid.toa', '-f', format, '-o', `hyp.${format}`));
});

test('two texts: a log-probability for each line, in any batch; with tokens in jsonl', () => {
  const texts = ['--source', 'valid.toa', '--target', 'valid.tob'];
  const { stdout } = done(evaluate(...texts));
  assert.equal(linesOf(stdout).length, 12);
  assert.equal(done(evaluate(...texts, '--batch-size', '1')).stdout, stdout);
  assert.equal(done(evaluate(...texts, '--max-tokens', '20')).stdout, stdout);
  const json = linesOf(done(evaluate(...texts, '-f', 'jsonl')).stdout).map((line) => JSON.parse(line));
  const targets = linesOf(fs.readFileSync(at('valid.tob'), 'utf8'));
  json.forEach(({ line, target, logProb, tokens, tokenLogProbs }, i) => {
    assert.equal(line, i + 1);
    assert.equal(target, targets[i]);
    assert.equal(String(logProb), linesOf(stdout)[i]);
    assert.equal(tokens.length, tokenLogProbs.length);
    assert.equal(tokens.at(-1), '</s>');
    const sum = tokenLogProbs.reduce((total: number, value: number) => total + value, 0);
    assert.ok(Math.abs(sum - logProb) < 1e-4);
  });
  assert.match(linesOf(done(evaluate(...texts, '-f', 'fairseq')).stdout)[1], /^H-0\t-\d+\.\d+\t▁/);
});

test('several checkpoints: a table, whose loss is that of the validation', () => {
  const texts = ['-s', 'valid.toa', '-t', 'valid.tob'];
  const names = ['checkpoint_1_2', 'checkpoint_last'].filter((name) => fs.existsSync(at('run', name)));
  const { stdout } = done(evaluate(...texts, '-f', 'jsonl', '--checkpoint', ...names, names[0]));
  const found = linesOf(stdout).map((line) => JSON.parse(line));
  assert.deepEqual(
    found.map(({ checkpoint }) => checkpoint),
    [...names, names[0]],
  );
  const events = linesOf(fs.readFileSync(at('run/metrics.jsonl'), 'utf8')).map((line) => JSON.parse(line));
  const { nll_loss, ppl } = events.filter(({ event }) => event === 'valid').at(-1);
  const last = found[names.indexOf('checkpoint_last')];
  assert.ok(Math.abs(last.nll_loss - nll_loss) < 1e-4);
  assert.ok(Math.abs(last.ppl - ppl) < 1e-3 * ppl);
  assert.equal(last.sentences, 12);
  const table = linesOf(done(evaluate(...texts, '--summary')).stdout);
  assert.match(table[0], /^checkpoint +sentences +tokens/);
  assert.equal(table.length, 2);
});

describe('lists of translations', () => {
  test('tokens of a search have the scores of the search, to 1e-6', () => {
    const { stdout } = done(evaluate('--nbest', 'hyp.jsonl', '--tokens'));
    let count = 0;
    for (const line of linesOf(stdout)) {
      for (const { tokenLogProbs, Forced } of JSON.parse(line).hypotheses) {
        const total = tokenLogProbs.reduce((sum: number, value: number) => sum + value, 0);
        assert.ok(Math.abs(total - Forced) <= 1e-6 * (tokenLogProbs.length + 1), `${total} and ${Forced}`);
        count++;
      }
    }
    assert.equal(count, 36);
  });

  test('Moses: a feature more, or one replaced; all else stays', () => {
    const flags = ['--nbest', 'hyp.nbest', '-s', 'valid.toa'];
    const { stdout } = done(evaluate(...flags));
    const given = linesOf(fs.readFileSync(at('hyp.nbest'), 'utf8'));
    assert.equal(stdout.replaceAll(/ Forced= -\d+(\.\d+)?/g, ''), `${given.join('\n')}\n`);
    assert.equal(
      linesOf(stdout).filter((line) => / F0=\S+ Forced= -\d+\S* /.test(line)).length,
      given.length,
    );
    fs.writeFileSync(at('again.nbest'), stdout);
    assert.equal(done(evaluate('--nbest', 'again.nbest', '-s', 'valid.toa')).stdout, stdout);
  });

  test('fairseq: the scores of the search, in its format', () => {
    const { stdout } = done(evaluate('--nbest', 'hyp.fairseq', '-s', 'valid.toa', '--tokens'));
    const given = linesOf(fs.readFileSync(at('hyp.fairseq'), 'utf8'));
    linesOf(stdout).forEach((line, i) => {
      const [name, score, text] = line.split('\t');
      const [expectedName, expectedScore, expectedText] = given[i].split('\t');
      assert.deepEqual([name, text], [expectedName, expectedText]);
      if (/^[HD]/.test(name)) assert.ok(Math.abs(Number(score) - Number(expectedScore)) < 2e-6);
    });
  });
});

describe('ensembles', () => {
  const translate = (...flags: string[]): Outcome =>
    run('translate', 'run', '-i', 'valid.toa', '-f', 'jsonl', ...flags);

  test('a run with itself translates and scores as the run; beside another checkpoint as neither', () => {
    const alone = done(translate()).stdout;
    const { stdout, stderr } = done(translate('--ensemble', 'run'));
    assert.equal(stdout, alone);
    assert.match(stderr, /^Ensemble: 2 models, their prob averaged, on one stream$/m);
    assert.equal(done(translate('--ensemble', 'run,run', '--ensemble-average', 'log-prob')).stdout, alone);
    assert.equal(done(translate('--ensemble', 'run', '--ensemble-weights', '0.3,0.6')).stdout, alone);
    const wanting = ['--ensemble', 'run', '--sampling', '--seed', '3'];
    assert.equal(done(translate(...wanting)).stdout, done(translate(...wanting.slice(2))).stdout);
    done(translate('--ensemble', 'other', '--ensemble-weights', '2,1', '-o', 'together.jsonl'));
    assert.notEqual(fs.readFileSync(at('together.jsonl'), 'utf8'), alone);
    const scored = done(
      evaluate(
        '--nbest',
        'together.jsonl',
        '--tokens',
        '--ensemble',
        'other',
        '--ensemble-weights',
        '[2, 1]',
      ),
    ).stdout;
    for (const line of linesOf(scored))
      for (const { tokenLogProbs, Forced } of JSON.parse(line).hypotheses) {
        const total = tokenLogProbs.reduce((sum: number, value: number) => sum + value, 0);
        assert.ok(Math.abs(total - Forced) <= 1e-6 * (tokenLogProbs.length + 1), `${total} and ${Forced}`);
      }
  });

  test('the folder of a run of a sweep has commas in its name', () => {
    fs.cpSync(at('other'), at('other,seed=2'), { recursive: true });
    const together = done(translate('--ensemble', 'run,other', '--ensemble-weights', '1,2,3')).stdout;
    assert.equal(
      done(translate('--ensemble', 'run,other,seed=2', '--ensemble-weights', '1,2,3')).stdout,
      together,
    );
    refused(translate('--ensemble', 'other,seed=3'), /seed=3: no such run directory/);
  });

  test('another target vocabulary is refused with what differs first', () => {
    const words = linesOf(fs.readFileSync(at('other/dict.tob.txt'), 'utf8'));
    fs.cpSync(at('other'), at('strange'), { recursive: true });
    fs.rmSync(at('strange/checksums.json'), { force: true });
    const changed = words.map((line, i) => (i === 2 ? `strange ${line.split(' ')[1]}` : line));
    write('strange/dict.tob.txt', ...changed);
    const difference = `piece 6 is 'strange', not '${words[2].split(' ')[0]}'`;
    refused(translate('--ensemble', 'strange'), new RegExp(`strange: .*vocabulary of run, .*${difference}`));
    refused(evaluate('--nbest', 'hyp.jsonl', '--ensemble', 'strange'), /piece 6/);
    refused(translate('--ensemble', 'nowhere'), /nowhere/);
    refused(
      translate('--ensemble', 'other', '--ensemble-weights', '1'),
      /the run and each of .*, 2; found 1/,
    );
    refused(translate('--ensemble', 'other', '--ensemble-weights', '1,0'), /a list, each a number above 0/);
  });
});

describe('refused, with exit code 2', () => {
  test('texts of different lengths; no file is left', () => {
    write('short', 'a');
    const texts = ['-s', 'valid.toa', '-t', 'short', '-o', 'scores'];
    refused(evaluate(...texts), /valid\.toa:2: expected as many lines as short has, 1/);
    assert.equal(fs.existsSync(at('scores')), false);
  });

  test('lists out of order, beyond the source, or none', () => {
    write('fallen', '1 ||| a ||| b ||| 0', '0 ||| a ||| b ||| 0');
    write('beyond', '0 ||| a ||| b ||| 0', '12 ||| a ||| b ||| 0');
    write('none', 'a b c');
    const withSource = (name: string) => evaluate('-s', 'valid.toa', '--nbest', name);
    refused(withSource('fallen'), /fallen:2: .*sentence 0 after those of 1/);
    refused(withSource('beyond'), /beyond:2: .*sentence 12; the source ends with sentence 11/);
    refused(withSource('none'), /none:1: expected a list of translations/);
  });

  test('flags that do not go together', () => {
    for (const [flags, message] of [
      [[], /--target or by --nbest/],
      [['-s', 'valid.toa'], /--target or by --nbest/],
      [['-t', 'valid.tob'], /no --source/],
      [['--nbest', 'hyp.nbest'], /no --source/],
      [['-s', '-', '-t', '-'], /one input/],
      [['-s', 'valid.toa', '--nbest', 'hyp.nbest', '--feature', 'a b'], /--feature/],
      [['-s', 'valid.toa', '-t', '-', '--checkpoint', 'a', 'b'], /several checkpoints/],
    ] as const)
      refused(evaluate(...flags), message);
  });
});
