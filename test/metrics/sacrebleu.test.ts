import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';

test('admin-nmt/sacrebleu needs nothing of Node and no other package', () => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = fs.readFileSync(file, 'utf8');
    assert.doesNotMatch(text, /\b(process|Buffer|require)\b[.(]/, file);
    for (const [, specifier] of text.matchAll(/^(?:import|export)[^;]*?from '([^']+)'/gm)) {
      assert.match(specifier, /^\.\.?\//, `${file} imports ${specifier}`);
      visit(path.resolve(path.dirname(file), specifier.replace(/\.js$/, '.ts')));
    }
  };
  visit(path.join(packageRoot(), 'src/metrics/sacrebleu.ts'));
  assert.ok(seen.size > 10, `${[...seen]}`);
});

/** Links ES modules in a context that has the language and nothing of Node, and prints what `main` exports. */
const BARE = `
const [vm, fs, path] = ['node:vm', 'node:fs', 'node:path'].map((name) => process.getBuiltinModule?.(name) ?? require(name));
const context = vm.createContext({});
const modules = new Map();
const load = (file, source = fs.readFileSync(file, 'utf8')) => {
  if (!modules.has(file)) modules.set(file, new vm.SourceTextModule(source, { context, identifier: file }));
  return modules.get(file);
};
const main = load(path.join(process.argv[1], 'main.js'), process.argv[2]);
main.link((specifier, from) => load(path.resolve(path.dirname(from.identifier), specifier)))
  .then(() => main.evaluate()).then(() => console.log(JSON.stringify(main.namespace.default)));
`;

test('it runs where there is nothing but the language, as in a browser', () => {
  const program = `
    import { BLEU, CHRF, TER, pairedTest } from './sacrebleu.js';
    const references = [['the cat sat on the mat', 'a dog']];
    const system = ['the cat sat on a mat', 'a dog'];
    const metrics = [new BLEU(), new CHRF({ wordOrder: 2 }), new TER()];
    export default [
      ...metrics.map((metric) => metric.corpusScore(system, references).score.toFixed(2)),
      ...pairedTest([system, references[0]], metrics, references, { type: 'bs', samples: 99 }).map(({ results }) => results[1].pValue),
    ];`;
  const folder = path.join(packageRoot(), 'dist/src/metrics');
  const flags = ['--experimental-vm-modules', '--no-warnings', '-e', BARE, folder, program];
  const found = JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' }));
  assert.deepEqual(found.slice(0, 3), ['55.84', '70.47', '12.50']);
  assert.ok(found.slice(3).every((pValue: number) => pValue > 0 && pValue <= 1));
});
