import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { openLineOutput } from '../../src/cli/line-output.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-lines-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

test('a file stands at its place when it is whole, and is no terminal', async () => {
  const target = path.join(folder, 'whole');
  const output = openLineOutput(target);
  assert.equal(output.isTerminal, false);
  assert.equal(await output.write('a\n'), true);
  assert.deepEqual(fs.readdirSync(folder).includes('whole'), false);
  output.commit();
  output.close();
  assert.deepEqual(fs.readdirSync(folder), ['whole']);
  assert.equal(fs.readFileSync(target, 'utf8'), 'a\n');
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends the process as it would without a file, and nothing is left`, () => {
    const here = fs.mkdtempSync(path.join(folder, 'half-'));
    const module = new URL('../../src/cli/line-output.js', import.meta.url).href;
    const script = `import { openLineOutput } from '${module}';
      await openLineOutput('half').write('a');
      process.kill(process.pid, '${signal}');
      setTimeout(() => {}, 5000);`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: here });
    assert.equal(ended.signal, signal, String(ended.stderr));
    assert.deepEqual(fs.readdirSync(here), []);
  });
}
