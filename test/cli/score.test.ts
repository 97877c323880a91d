import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packageRoot } from '../../src/common/files.js';
import { VERSION } from '../../src/metrics/version.js';
import { type Outcome, runProgram, spawnProgram } from './run-program.js';

/** What scripts/record-sacrebleu-commands.py writes. */
interface Recorded {
  files: Record<string, string[]>;
  runs: { arguments: string; stdin?: string; seed?: string; stdout: string }[];
}

const { files, runs }: Recorded = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/cli/fixtures/score.json'), 'utf8'),
);
const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-score-'));
after(() => fs.rmSync(folder, { recursive: true }));
const write = (name: string, content: string | Uint8Array) =>
  fs.writeFileSync(path.join(folder, name), content);
const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8');
for (const [name, lines] of Object.entries(files)) write(name, lines.map((line) => `${line}\n`).join(''));

/** Runs the program in the folder of the files, with a module loaded before it in a process of its own. */
function score(
  line: string,
  { stdin, seed, preload }: { stdin?: string; seed?: string; preload?: string } = {},
): Outcome {
  const options = {
    cwd: folder,
    input: stdin,
    env: {
      HOME: folder,
      SACREBLEU: undefined,
      SACREBLEU_SEED: seed,
      ...(preload === undefined ? {} : { NODE_OPTIONS: `--import ${path.join(folder, preload)}` }),
    },
  };
  return (preload === undefined ? runProgram : spawnProgram)(['score', ...line.split(' ')], options);
}

async function printed(line: string, stdin?: string): Promise<string> {
  const { status, stdout, stderr } = score(line, { stdin });
  assert.equal(status, 0, stderr);
  return stdout;
}

async function refuses(line: string, ...messages: RegExp[]): Promise<void> {
  const { status, stdout, stderr } = score(line);
  assert.deepEqual([status, stdout], [2, ''], stderr);
  for (const message of messages) assert.match(stderr, message);
}

/** Our output under the name of sacreBLEU: the signature, and what explains a test, are what tells them apart. */
function asSacrebleu(output: string): string {
  const own = `${VERSION}+sacrebleu.2.6.0`;
  return withoutExplanation(output)
    .replaceAll(`|impl:admin-nmt|version:${own}`, '|version:2.6.0')
    .replaceAll(`|i:admin-nmt|v:${own}`, '|v:2.6.0')
    .replaceAll(' "impl": "admin-nmt",\n', '')
    .replaceAll(` "version": "${own}"`, ' "version": "2.6.0"');
}

/** Logarithms of different libraries differ in the last bit, which JSON shows. */
function rounded(output: string): string {
  return output.replaceAll(/\d+\.\d{13,}/g, (digits) => Number(digits).toPrecision(13));
}

/** Without what a test is said to mean, stars among it, and the room that they take in a table. */
function withoutExplanation(output: string): string {
  if (!/"p_value"|\(p = /.test(output)) return output;
  return output
    .replace(/(Paired .* trials\n-+\n)[\s\S]*?(\n-+\nMetric signatures)/, '$1$2')
    .replaceAll(/,\n +"finding": .*/g, '')
    .replaceAll(/(\(p = [\d.]+\))\*/g, '$1')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/[─═]+/g, '─');
}

/** What bears a star, in its order. */
const starred = (output: string) => [...output.matchAll(/\(p = ([\d.]+)\)\*/g)].map(([, p]) => p);

describe('score prints what sacreBLEU prints', { concurrency: 2 }, () => {
  for (const { arguments: line, stdin, seed, stdout } of runs) {
    test([line, stdin && '< stdin', seed && `seed ${seed}`].filter(Boolean).join(' '), async () => {
      const outcome = score(line, { stdin, seed });
      assert.equal(outcome.status, 0, outcome.stderr);
      assert.equal(rounded(asSacrebleu(outcome.stdout)), rounded(withoutExplanation(stdout)));
    });
  }

  test('a star is never more than sacreBLEU gives, and less where ties or a handful of lines make the difference', async () => {
    const line = 'ref -i hyp a_b&c ganz_anders -m bleu chrf ter -par -parn 500 -f text';
    const { stdout } = runs.find((run) => run.arguments === line)!;
    // TER: of the 64 ways in which 6 lines change sides 4 are as one-sided as what was found, but none is more so.
    assert.deepEqual([starred(stdout), starred(await printed(line))], [['0.0020'], []]);
    const bootstrap = await printed('ref -i hyp ganz_anders -m ter -pbs -pbsn 100 -f text');
    assert.deepEqual(starred(bootstrap), []);
  });

  test('compressed files and files with CR LF give the same', async () => {
    write('hyp.gz', gzipSync(read('hyp')));
    write('ref.crlf', files.ref.map((line) => `${line}\r\n`).join(''));
    assert.equal(await printed('ref.crlf -i hyp.gz'), await printed('ref -i hyp'));
  });

  test('a last line without its end is a line', async () => {
    write('ref.cut', files.ref.join('\n'));
    assert.equal(await printed('ref.cut -i hyp'), await printed('ref -i hyp'));
  });

  test('the hypotheses come from standard input where no file is named', async () => {
    assert.equal(await printed('ref', read('hyp')), await printed('ref -i hyp'));
  });

  test('an empty last column on standard input is an empty hypothesis', async () => {
    const stream = files.hyp.map((line, i) => `${files.ref[i]}\t${i === 3 ? '' : line}\n`).join('');
    assert.match(await printed('ref -f text', stream), /System 1 │ 100\.0/);
  });
});

describe('a test of significance on several threads', { concurrency: 2 }, () => {
  const times = (lines: string[]) =>
    Array.from({ length: 400 }, () => lines.map((line) => `${line}\n`)).flat();
  const line = 'long.ref -i long.hyp -ci -cin 4000 -w 9';
  write('long.ref', times(files.ref).join(''));
  write('long.hyp', times(files.hyp).join(''));
  const inThreads = "import { isMainThread } from 'node:worker_threads'; if (!isMainThread)";
  write('never.mjs', `${inThreads} throw new Error('not here');`);
  write('midway.mjs', `${inThreads} Math.fround = () => { throw new Error('not here'); };`);

  test('prints what one thread prints', async () => {
    assert.equal(await printed(line), await printed(`${line} --threads 1`));
  });

  for (const preload of ['never.mjs', 'midway.mjs']) {
    test(`does the work of one that fails (${preload})`, async () => {
      const { status, stdout, stderr } = score(line, { preload });
      assert.deepEqual([status, stdout], [0, await printed(`${line} --threads 1`)], stderr);
    });
  }
});

describe('score has more than sacreBLEU', { concurrency: 2 }, () => {
  test('tables in Markdown and reStructuredText', async () => {
    assert.match(
      await printed('ref -i hyp a_b&c -f markdown'),
      /^\| +System \| {2}BLEU {2}\|\n\|-+:\|:-+:\|\n/,
    );
    assert.match(await printed('ref -i hyp a_b&c -f rst'), /^=+ {2}=+\n +System {3}BLEU\n=+ {2}=+\n/);
  });

  test('--tokenized: BLEU of the tokens as they stand, beside the other, and what each of them is', async () => {
    const { stdout, stderr } = score('ref -i hyp --tokenized -f text');
    assert.match(stdout, /^ +BLEU\|.*tok:13a.*\ntokenized BLEU\|.*tok:none\|smooth:none/);
    assert.match(stderr, /compared between papers[\s\S]*multi-bleu\.perl/);
  });

  test('--details: the scores of each line of each system', async () => {
    const table = await printed('ref ref2 -i hyp a_b&c -m bleu ter --details lines.jsonl -f json');
    assert.equal(table, await printed('ref ref2 -i hyp a_b&c -m bleu ter -f json'));
    const lines = read('lines.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(lines.length, 12);
    const sentences = (await printed('ref ref2 -i hyp -sl -b -w 6')).trimEnd().split('\n').map(Number);
    const own = lines.filter(({ system }) => system === 'hyp');
    own.forEach(({ line, scores, hypothesis, references }, i) => {
      assert.deepEqual(
        [line, hypothesis, references],
        [i + 1, files.hyp[i].trimEnd(), [files.ref[i], files.ref2[i]]],
      );
      assert.ok(Math.abs(scores.BLEU - sentences[i]) < 1e-6);
      assert.ok(scores.TER >= 0);
    });
  });

  test('--html: a page of two systems, and nothing else is printed', async () => {
    const table = await printed('ref -i hyp a_b&c -pbs -pbsn 50 --html page.html -f text');
    assert.equal(table, await printed('ref -i hyp a_b&c -pbs -pbsn 50 -f text'));
    const page = read('page.html');
    assert.match(page, /<title>hyp and a_b&amp;c<\/title>/);
    assert.match(page, /±/);
    assert.equal(/(?:src|href)="https?:/.test(page), false);
  });

  test('the same text is said to be the same, and lines that count alike to count alike', async () => {
    const lines = (text: (i: number) => string) =>
      Array.from({ length: 30 }, (_, i) => `${text(i)}\n`).join('');
    write(
      'thirty',
      lines((i) => `the cat number ${i} sat on the mat`),
    );
    for (const [name, wrong] of Object.entries({ some: 'q', copy: 'q', others: 'z' }))
      write(
        name,
        lines((i) => `the cat number ${i} sat on ${i % 2 ? 'the mat' : `${wrong} ${wrong}`}`),
      );
    for (const test of ['-pbs -pbsn', '-par -parn']) {
      const line = `thirty -i some copy others thirty.copy ${test} 200`;
      write('thirty.copy', read('thirty'));
      const table = await printed(`${line} -f text`);
      assert.match(table, /\(p = 0\.0050, same text\) /);
      assert.match(table, /\(p = 0\.0050, same counts\) /);
      assert.deepEqual(starred(table), ['0.0050']);
      const found = JSON.parse(await printed(line)).map(
        ({ BLEU }: { BLEU: { finding: string } }) => BLEU.finding,
      );
      assert.deepEqual(found, [null, 'same text', 'same counts', 'differs']);
      await printed(`thirty -i some copy ${test} 200 --html same.html`);
      assert.match(read('same.html'), /<td class="number">0\.0050, same text<\/td>/);
    }
  });

  test('--source: what was translated, on the page and in the scores of each line', async () => {
    await printed('ref -i hyp a_b&c --html source.html --details source.jsonl --source ref2');
    const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(read('source.html'))![1]);
    assert.deepEqual(
      data.segments.map(({ source }: { source: string }) => source),
      files.ref2,
    );
    assert.equal(JSON.parse(read('source.jsonl').split('\n')[0]).source, files.ref2[0]);
  });

  test('a seed from the system is named none, and draws differently', async () => {
    const { stdout } = score('ref -i hyp -ci -cin 20 -f text', { seed: 'none' });
    assert.match(stdout, /\|bs:20\|seed:none\|/);
  });

  test('BLEU under a SentencePiece model, named by its checksum', async () => {
    const model = path.join(packageRoot(), 'test/tokenizer/fixtures/unigram.model');
    fs.copyFileSync(model, path.join(folder, 'unigram.model'));
    assert.match(
      await printed('ref -i hyp -tok spm --spm-model unigram.model -f text'),
      /tok:spm-[0-9a-f]{8}\|/,
    );
    fs.mkdirSync(path.join(folder, '.sacrebleu/models'), { recursive: true });
    fs.copyFileSync(model, path.join(folder, '.sacrebleu/models/flores200sacrebleuspm'));
    assert.match(await printed('ref -i hyp -tok flores200 -f text'), /tok:flores200\|/);
  });
});

describe('score warns of', { concurrency: 2 }, () => {
  const words = (i: number) =>
    Array.from({ length: 8 }, (_, j) => `W${(i * i * 7 + i * j * 3 + j) % 997}`).join(' ');
  const corpus = Array.from({ length: 120 }, (_, i) => words(i));
  write('cased', `${corpus.join('\n')}\n`);

  test('nothing where nothing is wrong', async () => {
    assert.equal(score('cased -i cased').stderr, '');
  });

  test('text that looks tokenized', async () => {
    write('stops', corpus.map((line) => `${line} .\n`).join(''));
    assert.match(score('cased -i stops').stderr, /120 lines end in a tokenized period/);
    assert.equal(score('cased -i stops --force').stderr, '');
  });

  test('escaped characters', async () => {
    write('escaped', corpus.map((line) => `${line} &quot;\n`).join(''));
    assert.match(score('cased -i escaped').stderr, /120 of 120 hypotheses hold escaped characters/);
  });

  test('a tokenizer that finds no words in the language', async () => {
    const { status, stdout, stderr } = score('cased -i cased -l en-ja_JP -f text');
    assert.match(stdout, /tok:13a/);
    assert.deepEqual([status, stderr.match(/warning: .* does not cut Japanese/)?.length], [0, 1], stderr);
    const chinese = score('cased -i cased -l en-zh-Hans -f text');
    assert.match(chinese.stdout, /tok:zh\|/);
    assert.equal(chinese.stderr, '');
  });

  test('lower-cased output', async () => {
    write('lower', corpus.map((line) => `${line.toLowerCase()}\n`).join(''));
    assert.match(score('cased -i lower').stderr, /Is the output lower-cased\?/);
    assert.doesNotMatch(score('cased -i lower -lc').stderr, /lower-cased/);
  });

  test('a lost line', async () => {
    write('shifted', [...corpus.slice(0, 60), ...corpus.slice(61), 'W1'].map((line) => `${line}\n`).join(''));
    assert.match(score('cased -i shifted').stderr, /about line 6\d .* one line after/);
  });
});

describe('score refuses', { concurrency: 2 }, () => {
  test('files of unequal length, with every count', async () => {
    write('short', 'eins\nzwei\n');
    await refuses('ref short -i hyp', /6 in hyp, 6 in ref, 2 in short/);
    await refuses('ref -i short', /2 in short, 6 in ref/);
    await refuses('ref -i hyp a_b&c --source short --html short.html', /6 in ref, 2 in short/);
    assert.equal(fs.existsSync(path.join(folder, 'short.html')), false);
    await refuses('ref -i short -sl', /2 in short, 6 in ref/);
  });

  test('empty files', async () => {
    write('empty', '');
    await refuses('empty -i hyp', /6 in hyp, 0 in empty/);
    await refuses('empty -i empty', /empty: expected at least one line to score, found none/);
  });

  test('files that cannot be read, by their names', async () => {
    await refuses('ref -i missing', /missing: no such file/);
    await refuses('. -i hyp', /this is a directory/);
    write('broken', Buffer.from([...Buffer.from('gut\nschl'), 0xe4, ...Buffer.from('cht\n')]));
    await refuses('broken -i hyp', /broken:2/, /UTF-8/);
    write('broken.gz', 'not compressed');
    await refuses('ref -i broken.gz', /broken\.gz/);
  });

  test('no reference, and standard input twice', async () => {
    await refuses('-i hyp', /reference/);
    await refuses('- -i -', /standard input can be read once, but 2 files/);
  });

  test('another number of columns', async () => {
    await refuses('refs.tsv -nr 4 -i hyp', /refs\.tsv:1: expected 4 columns with tabs between, found 2/);
    await refuses('refs.tsv ref -nr 2 -i hyp', /one file of 2 references a line, found 2 files/);
    const { status, stderr } = score('ref', { stdin: 'a\tb\nc\n' });
    assert.equal(status, 2);
    assert.match(stderr, /standard input:2: expected 2 columns with tabs between, found 1/);
  });

  test('unknown names, with the nearest', async () => {
    await refuses('ref -i hyp -m blue', /found 'blue'/, /Did you mean 'bleu'\?/);
    await refuses('ref -i hyp -tok int', /int/, /intl/);
    await refuses('ref -i hyp -s expp', /exp/);
    await refuses('ref -i hyp -f jason', /Did you mean 'json'\?/);
    await refuses('ref -i hyp -w -1', /0 to 20 decimals, found -1/);
    await refuses('ref -i hyp -w x', /expected a whole number, found 'x'/);
    await refuses('ref -i hyp -m chrf -cc x', /--chrf-char-order: expected a whole number/);
    await refuses('ref -i hyp -tok ja-mecab', /MeCab/);
  });

  test('a tokenizer without its model, and a model without its tokenizer', async () => {
    await refuses(
      'ref -i hyp -tok spBLEU-1K',
      /\.sacrebleu\/models\/spbleu-1k_tokenizer_spm\.model/,
      /Get it from https:/,
    );
    await refuses('ref -i hyp --spm-model ref', /expected a tokenizer that has a model/);
    await refuses('ref -i hyp -tok spm --spm-model ref', /SentencePiece model/);
  });

  test('flags that exclude each other', async () => {
    await refuses('ref -i hyp a_b&c -pbs -par', /exclude each other/);
    await refuses('ref -i hyp -pbs', /at least two systems/);
    await refuses('ref -i hyp a_b&c -ci', /--confidence is for one system/);
    await refuses('ref -i hyp -ci -pbs', /Leave one of them out/);
    await refuses('ref -i hyp -sl -ci', /no tests of single sentences/);
    await refuses('ref -i hyp -sl -m bleu ter', /one metric/);
    await refuses('ref -i hyp hyp', /found 'hyp' twice/);
    await refuses('ref -i hyp --html one.html', /--html shows two systems, found 1/);
    await refuses('ref -i hyp --source ref', /--source is shown by --html and --details, found neither/);
    await refuses('ref -i - --source - --details one.jsonl', /standard input can be read once, but 2 files/);
    await refuses('ref -i hyp -ci -cin 0', /resamples or trials of 1 or more/);
    await refuses('ref -i hyp -ci --threads 0', /--threads: expected 1 thread or more, found 0/);
    assert.equal(fs.existsSync(path.join(folder, 'one.html')), false);
    const { status, stderr } = score('ref -i hyp -ci', { seed: 'x' });
    assert.equal(status, 2);
    assert.match(stderr, /\$SACREBLEU_SEED/);
  });
});
