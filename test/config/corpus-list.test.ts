import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { corporaOf } from '../../src/config/corpus-list.js';
import { formatConfig } from '../../src/config/format.js';
import { loadConfig } from '../../src/config/load.js';
import { readYamlSource } from '../../src/config/yaml-source.js';

/** The complaints about a list of corpora. */
function complaints(...train: unknown[]): string[] {
  try {
    loadConfig({ files: [{ data: { train } } as never] });
    return [];
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error.complaints.map(({ problem }) => problem);
  }
}

test('data.train may be a list: names follow from paths, a repeat is a weight', () => {
  const list = [
    'data/news-*.tsv.gz',
    { path: 'b', repeat: 3, tag: '<2fr>' },
    { name: 'c', path: 'x', weight: 0.5 },
  ];
  const { config, written } = loadConfig({ files: [{ data: { train: list } } as never] });
  assert.deepEqual(
    corporaOf(config.data.train)?.map(({ name, weight, tag }) => [name, weight, tag]),
    [
      ['news', 1, null],
      ['b', 3, '<2fr>'],
      ['c', 0.5, null],
    ],
  );
  const again = readYamlSource(formatConfig(written), 'config.yaml');
  assert.deepEqual((again.layer.tree.data as { train: unknown }).train, list);
  assert.equal(corporaOf('text'), undefined);
  assert.deepEqual(corporaOf(loadConfig({ sets: ['data.train=[a, b]'] }).config.data.train)?.length, 2);
});

test('what is wrong with a corpus is told with its place', () => {
  assert.deepEqual(complaints({ path: 'a', weight: 0 }), [
    'data.train.0.weight: expected a number above 0; found 0',
  ]);
  assert.deepEqual(complaints('a', { path: 'b', repeat: 1.5 }), [
    'data.train.1.repeat: expected an integer of at least 1; found 1.5',
  ]);
  assert.deepEqual(complaints({ path: 'a', wieght: 1 }), ["unknown key 'data.train.0.wieght'"]);
  assert.deepEqual(complaints({ path: 'a', filter: { 'max-length': 0 } }), [
    'data.train.0.filter.max-length: expected an integer of at least 1; found 0',
  ]);
  assert.deepEqual(complaints({ path: 'a', weight: 1, repeat: 1 }), [
    'data.train.0: expected weight or repeat, found both',
  ]);
  assert.deepEqual(complaints('x/a', { path: 'y/a' }), [
    "data.train: expected corpora of different names, found 'a' for 0 and 1 (counted from 0)",
  ]);
  assert.equal(complaints().length, 1, 'an empty list');
});
