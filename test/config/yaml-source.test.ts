import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, test } from 'node:test';
import { parseYamlValue, readYamlSource } from '../../src/config/yaml-source.js';
import { startCpuTime } from '../cpu-time.js';

const treeOf = (text: string) => readYamlSource(text, 'f').layer.tree;
const complaintsOf = (text: string): string[] =>
  readYamlSource(text, 'f').complaints.map(({ where, problem }) => `${where}: ${problem}`);

test('YAML 1.2: no and yes are words, 1e-7 is a number, an octal is none', () => {
  assert.deepEqual(treeOf('a: no\nb: yes\nc: 1e-7\nd: 010\ne: ~\nf: 2026-11-24\n'), {
    ...{ a: 'no', b: 'yes', c: 1e-7, d: 10, e: null, f: '2026-11-24' },
  });
});

test('places of keys and values', () => {
  const { origins } = readYamlSource('# head\nmodel:\n  encoder: { layers: 3 }\n', 'f').layer;
  assert.deepEqual(Object.fromEntries(origins), {
    model: { key: 'f:2:1', value: 'f:3:3' },
    'model.encoder': { key: 'f:3:3', value: 'f:3:12' },
    'model.encoder.layers': { key: 'f:3:14', value: 'f:3:22' },
  });
});

test('a byte order mark and CRLF do no harm', () => {
  assert.deepEqual(treeOf('\ufeffseed: 1\r\ntrain:\r\n  lr: 2\r\n'), { seed: 1, train: { lr: 2 } });
});

test('JSON is YAML', () => assert.deepEqual(treeOf('{"train": {"lr": 1}}'), { train: { lr: 1 } }));

test('aliases stand for what they name', () => {
  assert.deepEqual(treeOf('a: &x { b: 1 }\nc: *x\n'), { a: { b: 1 }, c: { b: 1 } });
});

describe('what is refused', () => {
  test('duplicate keys, at every level', () => {
    assert.deepEqual(complaintsOf('seed: 1\ntrain: { lr: 1, lr: 2 }\nseed: 2\n'), [
      "f:2:17: 'lr' is set twice in the same map",
      "f:3:1: 'seed' is set twice in the same map",
    ]);
  });

  test('tabs, second documents, unknown tags and anchors, broken syntax', () => {
    assert.deepEqual(complaintsOf('train:\n\tlr: 1\n'), ['f:2:1: a tab indents this line']);
    assert.deepEqual(complaintsOf('a: 1\n---\nb: 1\n'), ['f:2:1: expected one document, found a second one']);
    assert.match(complaintsOf('a: !python/object 1\n')[0], /^f:1:4: not valid YAML: /);
    assert.deepEqual(complaintsOf('a: *nothing\n'), ["f:1:4: no anchor '&nothing' before this"]);
    assert.match(complaintsOf('a: [1, 2\nb: 3\n')[0], /^f:2:1: not valid YAML: /);
  });

  test('what is no map', () => {
    for (const [text, found] of [
      ['', 'nothing'],
      ['# all commented out\n', 'nothing'],
      ['- 1\n', 'a list'],
      ['hello world\n', "'hello world'"],
    ]) {
      assert.ok(complaintsOf(text)[0].endsWith(`; found ${found}`), `${text} → ${complaintsOf(text)}`);
    }
  });

  test('aliases that multiply, and a tree that goes deeper than any config', () => {
    const bomb = ['a: &a [1,1,1,1,1,1,1,1,1,1]', 'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]'];
    for (const [from, to] of ['bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi']) {
      bomb.push(`${to}: &${to} [${Array(10).fill(`*${from}`)}]`);
    }
    const milliseconds = startCpuTime();
    assert.match(complaintsOf(bomb.join('\n'))[0], /expected at most 10000 values/);
    assert.ok(milliseconds() < 2000);
    assert.match(complaintsOf(`a: ${'['.repeat(50)}${']'.repeat(50)}`)[0], /at most 32 levels/);
    assert.match(complaintsOf('a: &a [*a]')[0], /at most 32 levels|not valid YAML/);
  });
});

test('what the parser would take long for is refused before', () => {
  const cases: [text: string, pattern: RegExp][] = [
    [`a: &a 1\nb: [${'*a,'.repeat(200_000)}]`, /at most 10000 values/],
    [Array.from({ length: 60_000 }, (_, i) => `k${i}: 1\n`).join(''), /at most 10000 values/],
    [`a: ${'['.repeat(100_000)}`, /at most 32 levels/],
    ['- '.repeat(100_000), /at most 10000 values in at most 32 levels/],
    ['- '.repeat(2000), /at most 32 levels/],
    [`a: ${'{a: '.repeat(50_000)}`, /at most 32 levels/],
    ['\n'.repeat(250_000), /at most 10000 values/],
    [`? ${'k'.repeat(250_000)}\n: 1\n`, /keys of at most 1000 characters/],
  ];
  for (const [text, pattern] of cases) {
    const before = process.cpuUsage();
    assert.match(complaintsOf(text)[0], pattern);
    assert.ok(process.cpuUsage(before).user < 5e6, `${pattern}`);
    if (text.startsWith('?')) continue;
    assert.throws(() => parseYamlValue(text), pattern);
  }
  assert.equal(complaintsOf('a: 1\n'.repeat(9000)).length, 10, 'complaints of keys set twice');
});

test('an alias stands for the last anchor of that name before it', () => {
  assert.deepEqual(treeOf('a: &x 1\nb: *x\nc: &x [3, 2]\nd: *x\n'), { a: 1, b: 1, c: [3, 2], d: [3, 2] });
});

test('parseYamlValue', () => {
  assert.deepEqual(['1', 'x', '[1, 2]', '{a: 1}', 'null', 'true'].map(parseYamlValue), [
    1,
    'x',
    [1, 2],
    { a: 1 },
    null,
    true,
  ]);
  assert.throws(() => parseYamlValue('[1'));
  assert.throws(() => parseYamlValue('{a: 1, a: 2}'), /'a' is set twice/);
  assert.throws(() => parseYamlValue('*a'), /no anchor/);
});
