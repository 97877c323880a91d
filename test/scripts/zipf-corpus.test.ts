import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { writeZipfCorpus, ZIPF_DEFAULTS } from '../../scripts/zipf-corpus.js';

test('parts side by side are the text in one go, and new words keep coming', (t) => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'zipf-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const write = (name: string, start: number, end: number): string[] => {
    writeZipfCorpus(path.join(folder, name), start, end, ZIPF_DEFAULTS);
    return ['zia', 'zib'].map((language) =>
      fs.readFileSync(path.join(folder, `${name}.${language}`), 'utf8'),
    );
  };
  const whole = write('whole', 0, 5000);
  const [head, tail] = [write('head', 0, 2000), write('tail', 2000, 5000)];
  assert.deepEqual([head[0] + tail[0], head[1] + tail[1]], whole);
  const different = (text: string): number => new Set(text.split(/[ \n]/)).size;
  const [some, all] = [different(head[0]), different(whole[0])];
  assert.ok(all > 1.8 * some && all > 20_000, `${some} and ${all} different words`);
  assert.equal(whole[0].split('\n').length, 5001);
});
