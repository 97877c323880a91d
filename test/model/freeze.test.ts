import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { frozenNames } from '../../src/model/freeze.js';
import { Transformer } from '../../src/model/transformer.js';
import { tinyConfig, useBackend, VOCABULARY } from './models.js';

before(() => useBackend('cpu'));

const NAMES = [
  'encoder.embed_tokens.weight',
  'encoder.layers.0.fc1.weight',
  'encoder.layers.10.fc1.weight',
  'decoder.x',
];

test('patterns: * is any run of characters, ? is one, a dot is a dot', () => {
  assert.deepEqual(frozenNames(NAMES, ['encoder.*']), NAMES.slice(0, 3));
  assert.deepEqual(frozenNames(NAMES, ['*.fc1.weight']), NAMES.slice(1, 3));
  assert.deepEqual(frozenNames(NAMES, ['encoder.layers.?.*', 'decoder.x']), [NAMES[1], NAMES[3]]);
  assert.throws(() => frozenNames(NAMES, ['decoder?y', 'decoder+x']), UserError);
});

test('a pattern that stands for nothing is refused with the nearest; so is every one of them', () => {
  const refused = (patterns: string[]) => {
    try {
      frozenNames(NAMES, patterns);
    } catch (error) {
      return (error as UserError).complaints.map(({ problem, hint }) => `${problem} ${hint}`);
    }
    return [];
  };
  const [first, second, ...rest] = refused(['encodr.*', 'encoder.*', '*.fc1.wieght']);
  assert.match(first, /'encodr\.\*'.*Did you mean 'encoder\.\*'/);
  assert.match(second, /'\*\.fc1\.wieght'.*Did you mean '\*\.fc1\.weight'/);
  assert.deepEqual(rest, []);
});

test('what is frozen is not among the trained weights, and something has to be', () => {
  const create = (...freeze: string[]) => Transformer.create(tinyConfig(), VOCABULARY, 1, null, freeze);
  const [all, some] = [create(), create('encoder.*')];
  const frozen = [...some.weights].filter(([name]) => name.startsWith('encoder.')).length;
  assert.equal(some.trainable.length, all.trainable.length - frozen);
  assert.equal(some.size, all.size);
  all.dispose();
  some.dispose();
  assert.throws(() => create('*'), /all are frozen/);
  assert.throws(() => create('encoder.*', 'decoder.*'), /all are frozen/);
});
