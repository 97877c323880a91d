import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { packageVersion } from '../../src/common/files.js';
import { describeProgram } from '../../src/distributed/program.js';
import { scratchFolder, writeFiles } from '../data/scratch.js';

test('a program is named by its version and its code', () => {
  const own = describeProgram();
  assert.ok(own.startsWith(`${packageVersion()} (`) && /\([0-9a-f]{12}\)$/.test(own), own);
  assert.equal(describeProgram(), own);
});

test('builds that differ in any file of code have names that differ, whatever lies beside', () => {
  const root = scratchFolder();
  const code = path.join(root, 'dist/src');
  writeFiles(root, { 'dist/src/a.js': 'let a = 1;', 'dist/src/b/c.js': '', 'dist/src/a.d.ts': 'x' });
  const seen = new Set([describeProgram(root)]);
  writeFileSync(path.join(code, 'a.d.ts'), 'y');
  seen.add(describeProgram(root));
  assert.equal(seen.size, 1);
  writeFileSync(path.join(code, 'a.js'), 'let a = 2;');
  seen.add(describeProgram(root));
  writeFileSync(path.join(code, 'b/c.js'), ' ');
  seen.add(describeProgram(root));
  rmSync(path.join(code, 'b/c.js'));
  seen.add(describeProgram(root));
  writeFileSync(path.join(code, 'c.js'), ' ');
  seen.add(describeProgram(root));
  assert.equal(seen.size, 5);
});
