import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { packageRoot } from '../src/common/files.js';

/** What `npm pack` puts into the package; nothing is built for it. */
const packed = packedFiles();
const read = (file: string): string => readFileSync(path.join(packageRoot(), file), 'utf8');

function packedFiles(): string[] {
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: packageRoot(),
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: 1 << 26,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout)[0].files.map(({ path: name }: { path: string }) => name);
}

test('what package.json names is in the package', () => {
  const { bin, exports } = JSON.parse(read('package.json'));
  const named = [
    ...Object.values(bin),
    ...Object.values(exports).flatMap((entry) => Object.values(entry as object)),
  ];
  const files = named.filter((name): name is string => typeof name === 'string' && name.length > 1);
  assert.ok(files.length >= 7, String(files));
  for (const file of files) assert.ok(packed.includes(path.posix.normalize(file)), file);
});

test('no source maps, whose sources are not there, and nothing of the tests and scripts', () => {
  assert.deepEqual(
    packed.filter((file) => /\.map$|^dist\/(test|scripts)\/|^(test|scripts)\//.test(file)),
    [],
  );
});

test('what README and docs link to or name is in the package', () => {
  const pages = packed.filter((file) => file.endsWith('.md'));
  assert.ok(pages.length > 20);
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const file = path.posix.join(path.posix.dirname(page), target);
      assert.ok(
        packed.some((name) => name === file || name.startsWith(`${file}/`)),
        `${page} links to ${target}`,
      );
    }
    for (const [, file] of read(page).matchAll(/\b((?:configs|docs)\/[\w./-]*\.\w+)/g)) {
      assert.ok(packed.includes(file), `${page} names ${file}`);
    }
  }
});
