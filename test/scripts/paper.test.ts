import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import { PASSAGES } from '../../scripts/paper-figures.js';
import { commandsOf, readPage, readQuotation } from '../../scripts/paper-page.js';
import { COUNTED, type Reading } from '../../scripts/paper-readings.js';
import { type Execute, runCommands, WorkFolder, whySkipped } from '../../scripts/paper-run.js';
import { compareFigures, describe as describeVerdicts, makerOf } from '../../scripts/paper-verdicts.js';
import { wordsOf } from '../cli/command-lines.js';
import { runProgram } from '../cli/run-program.js';

const page = readPage();
const readings = PASSAGES.flatMap((passage) => passage.readings);
const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-paper-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('figures of docs/paper.md', () => {
  test('each passage stands there once, as it is quoted, and each of its figures has a reading', () => {
    for (const { quotation, readings } of PASSAGES) {
      const { text, figures } = readQuotation(quotation);
      assert.equal(page.text.split(text).length - 1, 1, `times on the page: ${text}`);
      assert.equal(figures.length, readings.length, quotation);
      for (const { printed, value } of figures) assert.ok(Number.isFinite(value), printed);
    }
  });

  test('each is read from what a command of the page leaves, under a name of its own', () => {
    const outputs = page.commands.filter((command) => !whySkipped(command)).map(({ output }) => output);
    assert.deepEqual([...new Set(outputs)], outputs);
    for (const { file } of readings) assert.ok(outputs.includes(makerOf(file)), file);
  });

  test('numbers as they are printed', () => {
    const of = (text: string) => readQuotation(text).figures.map(({ value, rounding }) => [value, rounding]);
    assert.deepEqual(of('{−0.02} ± 3 and {1 400}, {3.5e-6}'), [
      [-0.02, 0.005],
      [1400, 0.5],
      [3.5e-6, 5e-8],
    ]);
  });

  test('commands are those of blocks of sh, under their headings', () => {
    const source =
      '# A\n## B\n```sh\na b -o c\nd e/f\n```\n```console\n$ g\n```\n## C\n```sh\nh i --output j\n```\n';
    assert.deepEqual(
      commandsOf(source).map(({ line, headings, output }) => [line, headings.join(), output]),
      [
        ['a b -o c', 'A,B', 'c'],
        ['d e/f', 'A,B', 'f'],
        ['h i --output j', 'A,C', 'j'],
      ],
    );
  });

  test('within, outside, and not compared', () => {
    fs.writeFileSync(path.join(folder, 'a.log'), '1.04 1.06 none');
    const reading = (place: number, file = 'a.log'): Reading => ({
      file,
      tolerance: COUNTED,
      read: (text) => Number(text.split(' ')[place]),
    });
    const passages = [
      { quotation: 'x {1.0} y {1.0}', readings: [reading(0), reading(1)] },
      { quotation: 'z {1.0} {1.0} {2}', readings: [reading(2), reading(0, 'a/b'), reading(0, 'c.log')] },
    ];
    const verdicts = compareFigures(passages, folder, new Set(['a']), false);
    assert.deepEqual(
      verdicts.map(({ verdict }) => verdict),
      ['within', 'outside', ...Array(3).fill('not compared')],
    );
    const lines = describeVerdicts(verdicts);
    assert.match(lines[0], /^outside {2}x \{1.0\} y \{1.0\} {2}found 1.04, 1.06$/);
    assert.match(lines[1], /expected 1.0, found 1.06 \(a.log, ± 0.05: it is counted/);
    assert.match(lines[2], /^not compared: 1 figures: a.log does not have it$/);
    assert.equal(lines.length, 5);
    const exact = compareFigures(passages, folder, new Set(['a']), true);
    assert.ok(exact.every(({ verdict }) => verdict === 'not compared'));
  });
});

describe('the short form of docs/paper.md', () => {
  const work = new WorkFolder(folder, undefined);
  const said: string[] = [];
  const execute: Execute = (line, cwd, log) => {
    const { status, stdout, stderr } = runProgram(wordsOf(line).slice(1), { cwd });
    fs.writeFileSync(log, stdout + stderr);
    if (status !== 0) said.push(stderr);
    return status ?? 1;
  };
  const run = () =>
    runCommands(page.commands, work, { short: true, execute, say: (line) => said.push(line) });

  test('each command runs to its end; what does not depend on text and width is as on the page', async () => {
    assert.equal(await run(), 0, said.join('\n'));
    const ended = new Set(page.commands.map(({ output }) => output));
    const verdicts = compareFigures(PASSAGES, folder, ended, true);
    const compared = verdicts.filter(({ found }) => found !== null);
    assert.ok(compared.length >= 19, `${compared.length} figures`);
    for (const { verdict, quotation, printed, found } of compared)
      assert.equal(verdict, 'within', `${quotation}: ${printed}, found ${found}`);
  });

  test('the readings find something in what the commands leave', () => {
    const cells = (sweep: string): string => fs.readFileSync(path.join(folder, `${sweep}.log`), 'utf8');
    for (const { file, group, read } of readings) {
      if (group !== undefined)
        assert.ok(
          cells(makerOf(file))
            .split('\n')
            .some((line) => line.startsWith(`${group},seed=`)),
          group,
        );
      else if (!file.endsWith('/sweep.json')) {
        const found = read(fs.readFileSync(path.join(folder, file), 'utf8'));
        assert.ok(typeof found === 'number' && !Number.isNaN(found), `${file}: ${found}`);
      }
    }
  });

  test('what has ended is not run again; a failure is told, and stops none of those after it', async () => {
    said.length = 0;
    assert.equal(await run(), 0);
    assert.deepEqual(
      [...new Set(said.filter((line) => line.startsWith('  ')).map((line) => line.split(':')[0].trim()))],
      ['ended earlier', 'skipped'],
    );
    const todo = commandsOf('```sh\nadmin-nmt x -o x\nadmin-nmt y -o y\n```\n');
    const failing: Execute = (line) => (line.includes('y') ? 0 : 2);
    const options = { short: false, execute: failing, say: (line: string) => said.push(line) };
    assert.equal(await runCommands(todo, work, options), 1);
    assert.deepEqual(said.slice(-4), [
      '$ admin-nmt x -o x',
      '  FAILED with 2: see x.log',
      '$ admin-nmt y -o y',
      '  0 s',
    ]);
    assert.throws(() => new WorkFolder(folder, 'elsewhere'), /expected a link to .*elsewhere, found one to/);
  });
});
