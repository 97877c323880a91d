import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runProgram } from './run-program.js';
import { ask, FAST, RUN, type Served, start, translate } from './served.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-serve-wishes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('a server', () => {
  let served: Served;
  before(async () => {
    served = await start();
  });
  after(() => served.child.kill('SIGKILL'));

  test('wishes and searches that a request asks for are those of translate', async () => {
    const { port } = served;
    const translated = async (fields: object): Promise<string> => {
      const { status, text } = await translate(port, { q: 'il cat', ...fields });
      assert.equal(status, 200, text);
      const { translatedText, alternatives = [] } = JSON.parse(text);
      return [translatedText, ...alternatives].join('\n');
    };
    const local = (wish: object, ...flags: string[]): string => {
      const input = `${JSON.stringify({ source: 'il cat', ...wish })}\n`;
      const wanted = ['--input-format', 'jsonl', '--format', 'jsonl', '--quiet', ...flags];
      const { stdout, stderr } = runProgram(['translate', RUN, ...FAST, ...wanted], { input, cwd: folder });
      assert.equal(stderr, '');
      return JSON.parse(stdout)
        .hypotheses.map(({ text }: { text: string }) => text)
        .join('\n');
    };
    const plain = await translated({});
    const wish = { prefix: 'dog', constraints: ['albero'], forbidden: ['il'], minLen: 2, maxLen: 3 };
    assert.match(await translated(wish), /^dog .*albero/);
    const drawn = { sampling: true, 'sampling-topk': 9, temperature: 3 };
    const samples = [
      '--sampling',
      '--sampling-topk',
      '9',
      '--temperature',
      '3',
      '--seed',
      '7',
      '--nbest',
      '2',
    ];
    for (const [fields, expected] of [
      [wish, local(wish)],
      [{ tag: 'cat' }, local({ tag: 'cat' })],
      [{ decode: { 'no-repeat-ngram-size': 1 } }, local({}, '--no-repeat-ngram-size', '1')],
      [{ decode: drawn, seed: 7, alternatives: 1 }, local({}, ...samples)],
      [
        { decode: { 'diverse-beam-groups': 2, 'diverse-beam-strength': 9 }, alternatives: 1 },
        local({}, '--diverse-beam-groups', '2', '--diverse-beam-strength', '9', '--nbest', '2'),
      ],
      [{ decode: { mbr: 'chrf' } }, local({}, '--mbr', 'chrf')],
      [{}, plain],
    ] as const)
      assert.equal(await translated(fields), expected, JSON.stringify(fields));
    const line = JSON.stringify({ q: 'il cat', prefix: 'dog', decode: { unk: 'forbid' } });
    const { text } = await ask(port, '/translate/stream?source=it&target=en', `"il cat"\n${line}\n`);
    const [first, second] = text
      .trim()
      .split('\n')
      .map((answer) => JSON.parse(answer).translatedText);
    assert.deepEqual([first, second.split(' ')[0]], [plain, 'dog']);
  });

  test('what a request may not ask for, or cannot have, is refused with the words of the command line', async () => {
    const { port } = served;
    for (const [fields, status, word] of [
      [{ decode: { beam: 100 } }, 400, /a request may ask for unk, .*, found beam$/],
      [{ decode: { terminology: '/etc/passwd' } }, 400, /found terminology$/],
      [{ decode: [] }, 400, /expected decode to be an object/],
      [{ decode: { sampling: 'yes' } }, 400, /^decode\.sampling: expected true or false; found 'yes'/],
      [{ decode: { 'sampling-topk': 3 } }, 400, /are about decode\.sampling, which is false/],
      [{ decode: { sampling: true }, seed: -1 }, 400, /^seed: expected/],
      [
        { decode: { sampling: true }, constraints: ['dog'] },
        400,
        /line 1: .* found by a beam, not by sampling/,
      ],
      [
        { tag: '<2fr>' },
        400,
        /^line 1: expected a tag that is a piece of the source dictionary, found '<2fr>'/,
      ],
      [{ constraints: 'dog' }, 400, /^line 1: expected a list of texts as constraints, found "dog"/],
      [{ constraints: ['zebra'] }, 400, /^line 1: .*found 'zebra', of which it lacks the only one/],
      [{ constraints: ['the dog il cat'] }, 400, /takes 4 tokens, and it may have 3/],
      [{ maxLen: 4 }, 400, /^line 1: expected maxLen of at most 3 tokens, found 4/],
      [{ minLen: 4 }, 400, /expected at least 4 tokens, of which at most 3 may be/],
      [{ q: 'a\nb', prefix: 'dog' }, 400, /one line of text with its wishes/],
      [{ q: 'a '.repeat(250), prefix: 'dog' }, 413, /takes whole/],
    ] as const) {
      const answer = await translate(port, { q: 'il cat', ...fields });
      assert.equal(answer.status, status, answer.text);
      assert.match(JSON.parse(answer.text).error, word);
    }
    assert.deepEqual(JSON.parse((await translate(port, { q: ' ', prefix: 'dog' })).text), {
      translatedText: ' ',
    });
  });
});

test('an ensemble is served as one model, wishes and samples included', async () => {
  const { child, port } = await start('--ensemble', `${RUN},${RUN}`, '--ensemble-weights', '1,2,3');
  const alone = await start();
  try {
    for (const fields of [
      {},
      { prefix: 'dog', constraints: ['albero'] },
      { decode: { sampling: true, temperature: 2 }, seed: 3 },
    ]) {
      const asked = { q: 'il cat', ...fields };
      const [{ status, text }, expected] = [await translate(port, asked), await translate(alone.port, asked)];
      assert.deepEqual([status, text], [200, expected.text]);
    }
  } finally {
    child.kill('SIGKILL');
    alone.child.kill('SIGKILL');
  }
});
