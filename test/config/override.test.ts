import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { overrideSource, parseSet } from '../../src/config/override.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-override-'));
after(() => rmSync(folder, { recursive: true }));

const treeOf = (set: string) => overrideSource(parseSet(set)).layer.tree;

test('KEY=VALUE', () => {
  assert.deepEqual(parseSet('data.root = a=b '), {
    path: 'data.root',
    value: 'a=b',
    where: '--set data.root = a=b ',
  });
  for (const wrong of ['', 'a', '=1', 'a=', 'a= '])
    assert.throws(() => parseSet(wrong), /expected KEY=VALUE/);
});

test('text needs no quotes, whatever it looks like in YAML', () => {
  for (const text of ['2024', 'no', 'true', '1e3', '#1', 'a: b', '*x', '[x']) {
    assert.deepEqual(treeOf(`train.save-dir=${text}`), { train: { 'save-dir': text } });
  }
  assert.deepEqual(treeOf('train.save-dir="a b"'), { train: { 'save-dir': 'a b' } });
  assert.deepEqual(treeOf('data.train=null'), { data: { train: null } });
  assert.deepEqual(treeOf('data.source-lang=no'), { data: { 'source-lang': 'no' } });
});

test('numbers, truth values and lists are YAML; lists also as fairseq writes them', () => {
  assert.deepEqual(treeOf('train.lr=1e-3'), { train: { lr: 0.001 } });
  assert.deepEqual(treeOf('data.prepared=true'), { data: { prepared: true } });
  for (const list of ['[0.9, 0.98]', '(0.9, 0.98)', '0.9,0.98']) {
    assert.deepEqual(treeOf(`train.adam-betas=${list}`), { train: { 'adam-betas': [0.9, 0.98] } });
  }
});

test('a list of texts is parted by commas, and a star in it is a star', () => {
  const names = ['*.fc1.weight', 'encoder.*'];
  for (const list of ['*.fc1.weight,encoder.*', '[*.fc1.weight, encoder.*]']) {
    assert.deepEqual(treeOf(`train.freeze=${list}`), { train: { freeze: names } });
  }
  assert.deepEqual(treeOf('train.freeze=[]'), { train: { freeze: [] } });
  for (const [quoted, expected] of [
    [`["<2fr>", '<2de>']`, ['<2fr>', '<2de>']],
    [`"<2fr>",<2de>`, ['<2fr>', '<2de>']],
    [`[""]`, ['']], // which the schema refuses
    [`",it's`, ['"', "it's"]],
    [`",", '.', ";"`, [',', '.', ';']],
    [`"a,b",c,'d,e'`, ['a,b', 'c', 'd,e']],
    [`"a,b"c`, ['"a', 'b"c']],
  ] as const)
    assert.deepEqual(treeOf(`data.tokenizer.user-defined-symbols=${quoted}`), {
      data: { tokenizer: { 'user-defined-symbols': expected } },
    });
});

test('a list of paths is parted by commas, but where a name with commas is there', () => {
  for (const name of ['a', 'a,seed=2', 'sweep/b,seed=2,lr=3', 'c', 'd', 'c,d'])
    mkdirSync(path.join(folder, name), { recursive: true });
  const ensembleOf = (...names: string[]) =>
    treeOf(
      `decode.ensemble=${names.map((name) => (name.startsWith('"') ? name : path.join(folder, name))).join(',')}`,
    );
  const paths = (...names: string[]) => ({
    decode: { ensemble: names.map((name) => path.join(folder, name)) },
  });
  for (const names of [
    ['a'],
    ['a,seed=2'],
    ['sweep/b,seed=2,lr=3', 'a,seed=2', 'a'],
    ['nowhere', 'a,seed=2', 'neither'],
    ['c', 'd'],
  ])
    assert.deepEqual(ensembleOf(...names), paths(...names), names.join(' '));
  assert.deepEqual(ensembleOf(`"${path.join(folder, 'c,d')}"`), paths('c,d'));
  assert.deepEqual(treeOf('decode.ensemble=[]'), { decode: { ensemble: [] } });
});

test('choices also with fairseq’s underscores, unless they have some themselves', () => {
  assert.deepEqual(treeOf('train.lr-scheduler=inverse_sqrt'), { train: { 'lr-scheduler': 'inverse-sqrt' } });
  assert.deepEqual(treeOf('data.tokenizer.normalization=nmt_nfkc'), {
    data: { tokenizer: { normalization: 'nmt_nfkc' } },
  });
});

test('a value that is no YAML is a complaint', () => {
  const [{ problem, where }] = overrideSource(parseSet('train.lr=[1')).complaints;
  assert.match(problem, /^expected a number above 0 and of at most 1000000000: /);
  assert.equal(where, '--set train.lr=[1');
});
