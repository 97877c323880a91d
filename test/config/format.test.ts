import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { formatConfig } from '../../src/config/format.js';
import { type ConfigKey, configKeys } from '../../src/config/keys.js';
import { mergeTrees, treeOf } from '../../src/config/layer.js';
import { loadConfig } from '../../src/config/load.js';
import { configSchema, PRESET_NAMES } from '../../src/config/schema.js';
import { readYamlSource } from '../../src/config/yaml-source.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-format-'));
after(() => rmSync(folder, { recursive: true }));

/** Values that a key may have. */
function settingOf({ kind, choices, path: key, nullable }: ConfigKey): fc.Arbitrary<unknown> {
  const valid = (value: unknown): boolean => configSchema.safeParse(treeOf(key, value)).success;
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('1', 'no', 'null', '~', '1e3', '- a'),
  );
  const value: fc.Arbitrary<unknown> = {
    boolean: fc.boolean(),
    integer: fc.integer({ min: 0, max: 1000 }), // within the bounds of every key
    number: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 2 }),
    text,
    path: text,
    name: fc.constantFrom('de', 'no', 'zh-Hans', 'y'),
    choice: fc.nat().map((i) => choices[i % choices.length]),
    texts: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }),
    paths: fc.array(text, { maxLength: 3 }),
    list: fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.constantFrom(0, 0.98)),
  }[kind];
  return (nullable ? fc.option(value) : value).filter(valid);
}

const configs = fc
  .subarray([...configKeys.values()])
  .chain((keys) => fc.tuple(...keys.map((key) => settingOf(key).map((value) => treeOf(key.path, value)))))
  .map((trees) => configSchema.parse(trees.reduce(mergeTrees, {})));

test('what is printed reads as the same config', () => {
  fc.assert(
    fc.property(configs, (written) => {
      const { layer, complaints } = readYamlSource(formatConfig(written), 'f');
      assert.deepEqual(complaints, []);
      assert.deepEqual(configSchema.parse(layer.tree), written);
    }),
    { numRuns: 300 },
  );
});

test('what is printed loads as the same config, through a file and whatever its preset', () => {
  for (const preset of [null, ...PRESET_NAMES]) {
    const { written } = loadConfig({ sets: [`preset=${preset}`, 'train.lr=0.25', 'model.encoder.layers=3'] });
    const file = path.join(folder, `${preset}.yaml`);
    writeFileSync(file, formatConfig(written));
    assert.deepEqual(loadConfig({ files: [file] }).written, written);
  }
});

test('lists are written on one line, every key is there', () => {
  const text = formatConfig(configSchema.parse({}));
  assert.match(text, /^ {2}adam-betas: \[ 0\.9, 0\.98 \]$/m);
  for (const key of configKeys.keys())
    assert.ok(text.includes(`${key.slice(key.lastIndexOf('.') + 1)}:`), key);
});
