import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { runProgram } from './run-program.js';

const RUN = path.join(packageRoot(), 'test/cli/fixtures/run-v1');
const FAST = ['--backend', 'cpu', '--max-len-a', '0', '--max-len-b', '3', '--beam', '1', '--quiet'];
const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-document-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const translate = (input: string, ...flags: string[]) =>
  runProgram(['translate', RUN, ...FAST, ...flags], { input, cwd: folder });
const line = translate('Xyz.\n').stdout.trim();

test('a document keeps its lines and paragraphs', () => {
  const { stdout, stderr } = translate('  Xyz. Xyz.\n\n\nXyz.\n', '--document');
  assert.deepEqual([stdout, stderr], [`  ${line} ${line}\n\n\n${line}\n`, '']);
});

test('a field of jsonl, and subtitles by the end of a name', () => {
  assert.equal(
    translate('{"id": 1.0, "t": "Xyz."}\n{"id": 2}\n\n', '--field', 't').stdout,
    `{"id": 1.0, "t": ${JSON.stringify(line)}}\n{"id": 2}\n\n`,
  );
  writeFileSync(path.join(folder, 'a.srt'), '1\n00:01 --> 00:02\nXyz.\n');
  assert.equal(translate('', '-i', 'a.srt').stdout, `1\n00:01 --> 00:02\n${line.trim()}\n`);
});

test('the last line of progress counts the sentences, all of which are done', () => {
  const loud = FAST.filter((flag) => flag !== '--quiet');
  const last = (name: string, text: string, ...flags: string[]) => {
    writeFileSync(path.join(folder, name), text);
    const args = ['translate', RUN, ...loud, '-i', name, ...flags];
    const lines = runProgram(args, { cwd: folder }).stderr.match(/Translating .*? · /g) ?? [];
    return lines.at(-1)?.slice(12, -3);
  };
  const cue = (n: number) => `${n}\n00:0${n} --> 00:0${n + 1}\nXyz.\n`;
  assert.equal(last('b.srt', `${cue(1)}\n${cue(2)}`), '2/2 sentences');
  assert.equal(last('b.txt', 'Xyz. Xyz.\n\nXyz.\n', '--document'), '3/3 sentences');
  assert.equal(last('b.jsonl', '{"t": "Xyz."}\n{"id": 2}\n', '--field', 't'), '1/1 sentences');
  assert.equal(last('b.plain', 'Xyz. Xyz.\n\nXyz.\n'), '3/3 lines');
});

test('what does not go together is refused', () => {
  for (const [flags, message] of [
    [['--format-in', 'srt', '--field', 't'], /--field: a field is for jsonl, found srt/],
    [['--document', '--format', 'jsonl'], /--format: a document is written as it was read, found jsonl/],
    [['--document', '--input-format', 'jsonl'], /--input-format: lines of jsonl are no document/],
  ] as const) {
    const { status, stderr } = translate('', ...flags);
    assert.equal(status, 2);
    assert.match(stderr, message);
  }
  const { status, stderr } = translate('{"t": "a"}\n{"t": 1}\n', '--field', 't');
  assert.equal(status, 2);
  assert.match(stderr, /line 2: expected a text in the field t, found a number/);
});
