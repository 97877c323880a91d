import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { done, refused } from './outcomes.js';
import { type Outcome, runProgram } from './run-program.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-alignment-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const CONFIG = {
  backend: 'cpu',
  preset: 'tiny',
  data: {
    'source-lang': 'toa',
    'target-lang': 'tob',
    train: 'train',
    valid: 'valid',
    destdir: 'data-bin',
    tokenizer: { 'vocab-size': 120, joint: false },
  },
  model: {
    'embed-dim': 8,
    'ffn-embed-dim': 8,
    'attention-heads': 2,
    'share-embeddings': 'none',
    encoder: { layers: 1 },
    decoder: { layers: 2 },
  },
  train: { 'save-dir': 'run', 'max-update': 2 },
  decode: { beam: 3, 'max-len-a': 0, 'max-len-b': 6 },
};

const at = (...names: string[]) => path.join(folder, ...names);
const run = (...args: string[]): Outcome => runProgram(args, { cwd: folder });
const translate = (...flags: string[]): Outcome => run('translate', 'run', '-i', 'valid.toa', ...flags);
const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');
const write = (name: string, ...lines: string[]): void =>
  fs.writeFileSync(at(name), lines.map((line) => `${line}\n`).join(''));

before(() => {
  writeToyCorpus(folder, { pairs: 200, valid: 12, test: 1 });
  fs.appendFileSync(at('valid.toa'), '\nbaba ☃\n');
  fs.appendFileSync(at('valid.tob'), '\n☃\n');
  fs.writeFileSync(at('config.yaml'), JSON.stringify(CONFIG));
  done(run('train', 'config.yaml'));
});

test('links of words behind each translation; of the same translations whatever the format and the batches', () => {
  const plain = linesOf(done(translate()).stdout);
  const marked = linesOf(done(translate('--alignment', 'hard')).stdout);
  assert.deepEqual(
    marked.map((line) => line.split(' ||| ')[0]),
    plain,
  );
  assert.equal(marked[12], ' ||| ', 'a blank line');
  const sources = linesOf(fs.readFileSync(at('valid.toa'), 'utf8'));
  const links = marked.map((line) => line.split(' ||| ')[1]);
  links.forEach((found, i) => {
    const words = [sources[i], plain[i]].map((text) => text.split(' ').filter((word) => word !== ''));
    for (const link of found === '' ? [] : found.split(' '))
      link.split('-').forEach((place, side) => {
        assert.ok(Number(place) < words[side].length, `${link} of ${sources[i]} and ${plain[i]}`);
      });
  });
  for (const flags of [
    ['--batch-size', '1'],
    ['--buffer-size', '3'],
  ])
    assert.deepEqual(linesOf(done(translate('--alignment', 'hard', ...flags)).stdout), marked);

  const json = linesOf(done(translate('--alignment', 'hard', '-f', 'jsonl', '--nbest', '2')).stdout);
  json.forEach((line, i) => {
    const { hypotheses } = JSON.parse(line);
    assert.equal(hypotheses[0].alignment.links.map((link: number[]) => link.join('-')).join(' '), links[i]);
    assert.equal(hypotheses[0].alignment.target.join(' '), plain[i]);
    assert.equal(hypotheses[0].alignment.weights, undefined);
    for (const { alignment, text } of hypotheses) assert.equal(alignment.target.join(' '), text);
  });
  const fairseq = linesOf(done(translate('--alignment', 'hard', '-f', 'fairseq')).stdout);
  assert.deepEqual(
    fairseq.filter((line) => line.startsWith('A-')),
    links.map((found, i) => `A-${i}\t${found}`),
  );
  const nbest = linesOf(done(translate('--alignment', 'hard', '-f', 'nbest')).stdout);
  assert.deepEqual(
    nbest.map((line) => line.split(' ||| ')[2]),
    links,
  );
  assert.match(nbest[0], /^0 \|\|\| .+ \|\|\| .+ \|\|\| F0=-\S+ \|\|\| -\S+$/);
});

test('soft: rows of pieces that sum to 1, the same from evaluate, which scores lists that have alignments', () => {
  const soft = linesOf(
    done(translate('--alignment', 'soft', '--alignment-unit', 'piece', '-f', 'jsonl')).stdout,
  );
  const found = soft.map((line) => JSON.parse(line).hypotheses[0]);
  found.forEach(({ tokens, alignment: { source, target, weights } }) => {
    assert.deepEqual(target, tokens.slice(0, -1));
    assert.equal(weights.length, tokens.length);
    for (const row of weights) {
      assert.equal(row.length, source.length + 1);
      assert.ok(Math.abs(row.reduce((sum: number, weight: number) => sum + weight, 0) - 1) < 0.01);
    }
  });
  write('hyp', ...found.map(({ text }) => text));
  const how = ['--alignment', 'soft', '-f', 'jsonl', '--alignment-unit', 'word'];
  const own = linesOf(done(translate(...how)).stdout).map((line) => JSON.parse(line).hypotheses[0]);
  const given = linesOf(done(run('evaluate', 'run', '-s', 'valid.toa', '-t', 'hyp', ...how)).stdout);
  let compared = 0;
  given.forEach((line, i) => {
    const { alignment, tokens } = JSON.parse(line);
    if (tokens.join(' ') !== own[i].tokens.join(' ')) return; // a search may spell a text in other pieces
    compared++;
    assert.deepEqual(alignment, own[i].alignment);
  });
  assert.ok(compared > 0);
  const [first] = linesOf(done(translate('--alignment', 'soft')).stdout);
  const rows = first.split(' ||| ')[1].split(' ');
  assert.deepEqual(
    rows.map((row) => row.split(',').map(Number)),
    own[0].alignment.weights,
  );
  done(translate('--alignment', 'hard', '-f', 'nbest', '-o', 'list'));
  const scored = linesOf(done(run('evaluate', 'run', '-s', 'valid.toa', '--nbest', 'list')).stdout);
  assert.match(scored[0], /^0 \|\|\| .+ \|\|\| [\d -]+ \|\|\| F0=-\S+ Forced= -\S+ \|\|\| -\S+$/);
});

test('the layer and the head are chosen; evaluate writes alignments of two texts', () => {
  const texts = ['-s', 'valid.toa', '-t', 'valid.tob'];
  const of = (...flags: string[]): string =>
    done(run('evaluate', 'run', ...texts, '--alignment', 'soft', ...flags)).stdout;
  assert.equal(of(), of('--alignment-layer', '2'), 'of two layers the last');
  const all = [of(), of('--alignment-layer', '1'), of('--alignment-head', '1'), of('--alignment-head', '2')];
  assert.equal(new Set(all).size, 4);
  const [line] = linesOf(done(run('evaluate', 'run', ...texts, '--alignment', 'hard')).stdout);
  assert.match(line, /^-\d+\.\d+ \|\|\| \d+-\d+( \d+-\d+)+$/);
});

test('what does not go together is refused', () => {
  const texts = ['-s', 'valid.toa', '-t', 'valid.tob'];
  refused(
    translate('--alignment-layer', '3'),
    /alignment-layer to be at most model.decoder.layers; found 3 and 2/,
  );
  refused(translate('--alignment-head', '3'), /alignment-head to be at most model.attention-heads/);
  refused(translate('--alignment', 'hard', '--document'), /without alignments/);
  refused(translate('--replace-unk', '--unk-dictionary', 'absent'), /absent/);
  write('bad', 'a b');
  refused(translate('--replace-unk', '--unk-dictionary', 'bad'), /bad:1: expected a source phrase, a tab/);
  write('list', '0 ||| a ||| F0= 1 ||| 1');
  refused(
    run('evaluate', 'run', ...texts.slice(0, 2), '--nbest', 'list', '--alignment', 'hard'),
    /a list has no place for alignments/,
  );
});

test('a page shows the translations that are written, and their links', () => {
  const plain = done(translate()).stdout;
  assert.equal(done(translate('--html', 'page.html')).stdout, plain);
  const page = fs.readFileSync(at('page.html'), 'utf8');
  const written = linesOf(plain);
  const sections = [...page.matchAll(/<section id="line-(\d+)">.*?<\/section>/gs)];
  assert.deepEqual(
    sections.map(([, line]) => Number(line)),
    written.flatMap((text, i) => (text === '' ? [] : [i + 1])), // a blank line has nothing to show
  );
  const links = linesOf(done(translate('--alignment', 'hard')).stdout).map((line) => line.split(' ||| ')[1]);
  for (const [section, line] of sections) {
    const [, target] = [...section.matchAll(/<p class="side" dir="auto">(.*?)<\/p>/g)];
    assert.equal(target[1].replace(/<[^>]+>/g, ''), written[Number(line) - 1]);
    assert.equal(
      section.split('class="linked"').length - 1,
      links[Number(line) - 1].split(' ').filter(Boolean).length,
    );
  }
});

test('there is no page of a document, nor where it cannot be written', () => {
  refused(translate('--html', 'other.html', '--document'), /--html: a document is written as it was read/);
  refused(translate('--html', 'run'), /run: /);
  assert.equal(fs.existsSync(at('other.html')), false);
});
