import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
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
