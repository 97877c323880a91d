import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { lineBlocks, linesOfFile } from '../../src/common/line-blocks.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-lines-'));
after(() => fs.rmSync(folder, { recursive: true }));
const file = path.join(folder, 'file');

test('lines come whole, whatever the size of a block, and where they start', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('', 'a', 'ä\u{1f600}', 'long'.repeat(9))),
      fc.integer({ min: 1, max: 50 }),
      (lines, block) => {
        const text = lines.join('\n');
        fs.writeFileSync(file, text);
        let whole = '';
        for (const { bytes, start } of lineBlocks(file, block)) {
          assert.equal(start, Buffer.byteLength(whole));
          whole += bytes.toString('utf8');
        }
        assert.equal(whole, text);
        const found: string[] = [];
        const walk = linesOfFile(file, block);
        let next = walk.next();
        for (; !next.done; next = walk.next()) found.push(next.value);
        assert.deepEqual(found, lines.slice(0, -1));
        assert.equal(next.value, (lines.at(-1) ?? '') !== '');
      },
    ),
  );
});

test('a file that is not there is told by its name', () => {
  assert.throws(() => [...lineBlocks(path.join(folder, 'none'))], /none: /);
});
