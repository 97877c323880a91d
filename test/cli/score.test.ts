import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ScoreOptions, scoreFiles } from '../../src/cli/score.js';
import { UserError } from '../../src/common/errors.js';
import { VERSION } from '../../src/metrics/version.js';
import { readFixture } from '../metrics/recorded.js';

interface Recorded {
  files: Record<string, string[]>;
  runs: { options: Partial<ScoreOptions>; stdout: string }[];
}

const { files, runs } = readFixture<Recorded>('cli');
const folder = fs.mkdtempSync(path.join(tmpdir(), 'score-'));
after(() => fs.rmSync(folder, { recursive: true }));
const inFolder = (name: string) => path.join(folder, name);
const write = (name: string, content: string | Uint8Array) => fs.writeFileSync(inFolder(name), content);
for (const [name, lines] of Object.entries(files)) write(name, lines.map((line) => `${line}\n`).join(''));

const DEFAULTS: ScoreOptions = {
  references: ['ref'],
  input: 'hyp',
  metrics: ['bleu'],
  lowercase: false,
  smoothMethod: 'exp',
  force: false,
  scoreOnly: false,
  width: 1,
  format: 'json',
  shortSignature: false,
  sentenceLevel: false,
};

/** Options with the files named within the folder. */
function located(options: Partial<ScoreOptions> = {}): ScoreOptions {
  const merged = { ...DEFAULTS, ...options };
  const input = merged.input === '-' ? '-' : inFolder(merged.input ?? 'hyp');
  return {
    ...merged,
    input,
    references: merged.references.map((name) => (name === '-' ? name : inFolder(name))),
  };
}

/** Our output under the name of sacreBLEU: the signature is the only thing that tells them apart. */
function asSacrebleu(output: string): string {
  const own = `${VERSION}+sacrebleu.2.6.0`;
  return output
    .replaceAll(`|impl:admin-nmt|version:${own}`, '|version:2.6.0')
    .replaceAll(`|i:admin-nmt|v:${own}`, '|v:2.6.0')
    .replace(' "impl": "admin-nmt",\n', '')
    .replace(` "version": "${own}"`, ' "version": "2.6.0"');
}

async function refuses(options: Partial<ScoreOptions>, ...messages: RegExp[]): Promise<void> {
  await assert.rejects(scoreFiles(located(options)), (error) => {
    assert.ok(error instanceof UserError, String(error));
    for (const message of messages) assert.match(error.message, message);
    return true;
  });
}

describe('score prints what sacreBLEU prints', () => {
  for (const { options, stdout } of runs) {
    test(JSON.stringify(options), async () => {
      assert.equal(asSacrebleu(await scoreFiles(located(options))), stdout);
    });
  }

  test('compressed files and files with CR LF give the same', async () => {
    const plain = await scoreFiles(located());
    write('hyp.gz', gzipSync(fs.readFileSync(inFolder('hyp'))));
    write('ref.crlf', files.ref.map((line) => `${line}\r\n`).join(''));
    assert.equal(await scoreFiles(located({ input: 'hyp.gz', references: ['ref.crlf'] })), plain);
  });

  test('a last line without its end is a line', async () => {
    write('ref.cut', files.ref.join('\n'));
    assert.equal(await scoreFiles(located({ references: ['ref.cut'] })), await scoreFiles(located()));
  });

  test('the hypotheses come from standard input, the score goes to standard output', async () => {
    const expected = await scoreFiles(located());
    const module = new URL('../../src/cli/score.js', import.meta.url).href;
    const options = { ...located(), input: undefined };
    const code = `import { runScore } from ${JSON.stringify(module)}; await runScore(${JSON.stringify(options)});`;
    const input = fs.readFileSync(inFolder('hyp'));
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], { input, encoding: 'utf8' });
    assert.deepEqual([run.stderr, run.stdout], ['', expected]);
  });
});

describe('score refuses', () => {
  test('files of unequal length, with every count', async () => {
    write('short', 'eins\nzwei\n');
    await refuses({ references: ['ref', 'short'] }, /6 in .*hyp, 6 in .*ref, 2 in .*short/);
    await refuses({ input: 'short' }, /2 in .*short, 6 in .*ref/);
    await refuses({ input: 'short', sentenceLevel: true }, /2 in .*short, 6 in .*ref/);
  });

  test('empty files', async () => {
    write('empty', '');
    await refuses({ references: ['empty'] }, /6 in .*hyp, 0 in .*empty/);
    await refuses(
      { input: 'empty', references: ['empty'] },
      /empty: expected at least one line to score, found none/,
    );
  });

  test('files that cannot be read, by their names', async () => {
    await refuses({ input: 'missing' }, /missing: no such file/);
    await refuses({ references: ['.'] }, /this is a directory/);
    write('broken', Buffer.from([...Buffer.from('gut\nschl'), 0xe4, ...Buffer.from('cht\n')]));
    await refuses({ references: ['broken'] }, /broken:2/, /UTF-8/);
    write('broken.gz', 'not compressed');
    await refuses({ input: 'broken.gz' }, /broken\.gz/);
  });

  test('no reference, and standard input twice', async () => {
    await refuses({ references: [] }, /at least one file with references/);
    await refuses({ references: ['-'], input: '-' }, /standard input can be read once, but 2 files/);
  });

  test('unknown names, with the nearest', async () => {
    await refuses({ metrics: ['blue'] }, /found 'blue'/, /Did you mean 'bleu'\?/);
    await refuses({ metrics: ['chrf'] }, /--metrics: expected one of bleu, found 'chrf'/);
    await refuses({ tokenize: 'int' }, /found 'int'/, /Did you mean 'intl'\?/);
    await refuses({ smoothMethod: 'expp' }, /Did you mean 'exp'\?/);
    await refuses({ format: 'jason' }, /Did you mean 'json'\?/);
    await refuses({ width: -1 }, /0 to 20 decimals, found -1/);
  });
});
