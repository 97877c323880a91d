import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeSafetensors } from '../../src/formats/safetensors.js';
import { readWeights } from '../../src/formats/weights-file.js';
import { ask, RUN, type Served, startRun, translate } from './served.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-serve-directions-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const TEXTS = ['il cat albero', 'cat', 'il gatto dorme'];

/** The run of the fixtures with tags in its dictionaries and with weights by which the source counts for more. */
function taggedRun(): string {
  const run = path.join(folder, 'tagged');
  cpSync(RUN, run, { recursive: true, verbatimSymlinks: true });
  rmSync(path.join(run, 'checksums.json'));
  for (const language of ['it', 'en']) {
    const file = path.join(run, `dict.${language}.txt`);
    const words = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      words.replace('dem 2', '<2fr> 2').replace('baum 2', '<2en> 2').replace('dog 2', '<BT> 2'),
    );
  }
  const checkpoint = path.join(run, 'checkpoint_3_3');
  rmSync(path.join(checkpoint, 'checksums.json'), { force: true });
  const larger = [...readWeights(checkpoint, 'model.safetensors')].map(([name, { shape, data }]) => {
    const factor = name.includes('encoder_attn') ? 12 : 1;
    return [name, { shape, data: data.map((value) => factor * value) }] as const;
  });
  writeSafetensors(path.join(checkpoint, 'model.safetensors'), new Map(larger));
  return run;
}

describe('a model with tags of languages', () => {
  const run = taggedRun();
  let served: Served;
  before(async () => {
    served = await startRun(run);
  });
  after(() => served.child.kill('SIGKILL'));

  const texts = async (...requests: object[]): Promise<string[][]> => {
    const found: string[][] = [];
    for (const fields of requests) {
      const { status, text } = await translate(served.port, { q: TEXTS, ...fields });
      assert.equal(status, 200, text);
      found.push(JSON.parse(text).translatedText);
    }
    return found;
  };

  test('is listed with all its targets, each of which puts its tag', async () => {
    const { text } = await ask(served.port, '/languages');
    assert.deepEqual(JSON.parse(text), [{ code: 'it', name: 'Italian', targets: ['en', 'fr'] }]);
    const page = (await ask(served.port, '/')).text;
    assert.match(page, /data-source="it" data-target="fr"/);
    const [english, french, byTag, other, auto] = await texts(
      { target: 'en' },
      { target: 'fr' },
      { target: 'en', tag: '<2fr>' },
      { target: 'fr', tag: '<BT>' },
      { target: 'fr', source: 'auto' },
    );
    assert.notDeepEqual(english, french);
    assert.deepEqual(byTag, french);
    assert.notDeepEqual(other, french);
    assert.deepEqual(auto, french);
    const streamed = await ask(
      served.port,
      '/translate/stream?source=it&target=fr',
      JSON.stringify(TEXTS[0]),
    );
    assert.equal(JSON.parse(streamed.text).translatedText, french[0]);
  });

  test('has its figures once', async () => {
    const { text } = await ask(served.port, '/metrics');
    assert.deepEqual(text.match(/^admin_nmt_sentences_waiting.*$/gm), [
      'admin_nmt_sentences_waiting{source="it",target="en"} 0',
    ]);
  });

  test('what it has no tag for is refused', async () => {
    const { status, text } = await translate(served.port, { q: 'il', target: 'de' });
    assert.equal(status, 400);
    assert.match(text, /\(it to en, it to fr\), found it to de/);
  });
});

test('a tag of all sentences is that of the own language', async () => {
  const run = path.join(folder, 'tagged');
  const [plain, tagged] = [await startRun(run), await startRun(run, '--tag', '<BT>')];
  try {
    const english = async (served: Served, fields: object = {}): Promise<string[]> =>
      JSON.parse((await translate(served.port, { q: TEXTS, ...fields })).text).translatedText;
    assert.deepEqual(await english(tagged), await english(plain, { tag: '<BT>' }));
    assert.notDeepEqual(await english(tagged), await english(plain));
  } finally {
    for (const { child } of [plain, tagged]) child.kill('SIGKILL');
  }
});
