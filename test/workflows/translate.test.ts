import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { loadRunConfig } from '../../src/config/load.js';
import { translateFile } from '../../src/workflows/translate.js';
import { scratchFolder } from '../data/scratch.js';

test('the input is read once: it may be a pipe that has a name', async (t) => {
  const run = path.join(packageRoot(), 'test/cli/fixtures/run-v1');
  const { config } = loadRunConfig(run, { files: [{ backend: 'cpu', decode: { 'max-len-a': 0 } }] });
  const input = path.join(scratchFolder(), 'pipe');
  try {
    execFileSync('mkfifo', [input]);
  } catch {
    return t.skip('no mkfifo');
  }
  const written = writeFile(input, 'a\n\nb');
  const lines: string[] = [];
  const openOutput = () => ({
    isTerminal: true,
    write: async (text: string) => lines.push(text) > 0,
    commit: () => lines.push('whole'),
    close: () => {},
  });
  await translateFile(run, { config, input, openOutput, format: 'text' });
  await written;
  assert.equal(lines.length, 4);
  assert.deepEqual(lines.slice(1, 2).concat(lines[3]), ['\n', 'whole']);
});
