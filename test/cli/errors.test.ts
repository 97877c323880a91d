import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import { runProgram } from './run-program.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-errors-'));
after(() => rmSync(folder, { recursive: true }));

const FILES: Record<string, string | Buffer> = {
  'wrong.yaml':
    'model:\n  residul: admin\n  embed-dim: 510\ntrain: { lr: fast }\ndecode: { beam: 2, nbest: 3 }\n',
  'twice.yaml': 'train:\n  lr: 1\n  lr: 2\n',
  'tab.yaml': 'train:\n\tlr: 1\n',
  'list.yaml': '- 1\n',
  'empty.yaml': '',
  'open.yaml': 'train: { lr: 1\n',
  'latin.yaml': Buffer.from([0x61, 0x3a, 0x20, 0xe4, 0x0a]),
  'nul.yaml': Buffer.from('seed: \0\n'),
  'huge.yaml': Buffer.alloc(2 ** 20 + 1, 0x20),
};
for (const [name, content] of Object.entries(FILES)) writeFileSync(path.join(folder, name), content);
mkdirSync(path.join(folder, 'run'));

/** Command line → what stderr says. Each ends with exit code 2 and prints nothing on stdout. */
const CASES: readonly [command: string, message: string][] = [
  ['help trian', "error: unknown command 'trian'\n  Did you mean train?\n"],
  [
    'train --lr fast',
    "error: --lr fast: train.lr: expected a number above 0 and of at most 1000000000; found 'fast'\n",
  ],
  [
    'train --preset multi30',
    "error: --preset multi30: preset: expected one of tiny, multi30k, iwslt14-de-en, wmt14-en-de, wmt14-en-fr, or null; found 'multi30'\n  Did you mean 'multi30k'?\n",
  ],
  [
    'train --set train.lrr=1',
    "error: --set train.lrr=1: unknown key 'train.lrr'\n  Did you mean 'train.lr'?\n",
  ],
  ['train --set lr=1', "error: --set lr=1: unknown key 'lr'\n  Did you mean 'train.lr'?\n"],
  ['train --set lr', "error: --set: expected KEY=VALUE, found 'lr'\n  For example --set"],
  ['config explain beem', "error: config explain: unknown key 'beem'\n  Did you mean 'decode.beam'?\n"],
  [
    'train nope.yaml',
    'error: nope.yaml: no such file or directory\n  Check the path; relative paths start at the current directory.\n',
  ],
  ['train tiny', 'error: tiny: no such file\n  This is the name of a preset: --preset tiny\n'],
  ['train run', 'error: run: this is a directory, a config in YAML was expected\n  Give a config in YAML'],
  [
    'train wrong.yaml --seed -1',
    [
      "error: wrong.yaml:2:3: unknown key 'model.residul'\n  Did you mean 'model.residual'?\n",
      "error: wrong.yaml:4:14: train.lr: expected a number above 0 and of at most 1000000000; found 'fast'\n",
      'error: --seed -1: seed: expected an integer of at least 0 and of at most 4294967295; found -1\n',
      'error: wrong.yaml:3:14: expected model.embed-dim to be a multiple of model.attention-heads; found 510 and 8\n',
      '  Every head gets embed-dim / attention-heads dimensions.\n',
      'error: wrong.yaml:5:27: expected decode.nbest to be at most decode.beam; found 3 and 2\n',
      '  A beam gives at most as many translations as it is wide.\n',
    ].join(''),
  ],
  ['train twice.yaml', "error: twice.yaml:3:3: 'lr' is set twice in the same map\n  Keep one of the two.\n"],
  ['train tab.yaml', 'error: tab.yaml:2:1: a tab indents this line\n  YAML is indented with spaces.\n'],
  ['train list.yaml', 'error: list.yaml: expected a map with keys of preset, seed'],
  ['train empty.yaml', 'decode, score, serve; found nothing\n'],
  ['train open.yaml', 'error: open.yaml:2:1: not valid YAML: '],
  ['train latin.yaml', 'error: latin.yaml: expected a config in YAML, found bytes that are not UTF-8\n'],
  ['train nul.yaml', 'error: nul.yaml: expected a config in YAML, found a NUL byte\n'],
  ['train huge.yaml', 'error: huge.yaml: expected a config of at most 262144 bytes, found 1048577 bytes\n'],
  [
    'translate run',
    'error: run: expected a run directory, found no config.yaml in it\n  Give the folder that admin-nmt train wrote (train.save-dir)',
  ],
  [
    'score ref.txt -tok 14a',
    "error: --tokenize 14a: score.tokenize: expected one of 13a, none, char, intl, zh, spm, flores101, flores200, spBLEU-1K, ja-mecab, ko-mecab, or null; found '14a'\n  Did you mean '13a'?\n",
  ],
];

describe('a mistake in the command line or the config ends with exit code 2 and says what to do', () => {
  for (const [command, message] of CASES) {
    test(command, () => {
      const { status, stdout, stderr } = runProgram(command.split(' '), { cwd: folder });
      assert.ok(stderr.includes(message), `expected\n${message}\nfound\n${stderr}`);
      assert.equal(stdout, '');
      assert.equal(status, 2);
    });
  }

  test('no command: the help, on stderr', () => {
    const { status, stdout, stderr } = runProgram([]);
    assert.match(stderr, /^Usage: admin-nmt[\s\S]*error: expected a command\n/);
    assert.deepEqual([status, stdout], [2, '']);
  });

  test('DEBUG adds the stack', () => {
    const { status, stderr } = runProgram(['train', 'nope.yaml'], { env: { DEBUG: '1' } });
    assert.match(stderr, /\n {4}at /);
    assert.equal(status, 2);
  });
});
