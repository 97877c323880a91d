import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeToyPairs, type ToyPair } from '../../src/data/toy-language.js';

/** Pairs of each training text. */
export const PAIRS = 300;

type Files = Record<string, string | Buffer>;
type Line = readonly [text: string, index: number];

/** The archives of all recipes with a toy language in place of their text, in the layout of the real ones. */
export function makeStandIns(folder: string): void {
  const make = (name: string, files: Files): void => makeArchive(path.join(folder, name), files);
  make('de-en.tgz', {
    ...bothSides('de-en/train.tags.de-en.LANG', 'de', ([pair, i]) =>
      i % 10 === 0 ? `<url>talk</url>\n<title>${pair}</title>` : pair,
    ),
    ...Object.assign(
      {},
      ...['TED.dev2010', 'TEDX.dev2012', 'TED.tst2010', 'TED.tst2011', 'TED.tst2012'].map((name) =>
        bothSides(`de-en/IWSLT14.${name}.de-en.LANG.xml`, 'de', segment, 8),
      ),
    ),
  });
  make('training-parallel-europarl-v7.tgz', {
    ...bothSides('training/europarl-v7.de-en.LANG', 'de'),
    ...bothSides('training/europarl-v7.fr-en.LANG', 'fr'),
  });
  make('training-parallel-commoncrawl.tgz', {
    ...bothSides('commoncrawl.de-en.LANG', 'de', ([pair]) => `«${pair}\u2028 …`),
    ...bothSides('commoncrawl.fr-en.LANG', 'fr'),
  });
  make('training-parallel-nc-v12.tgz', bothSides('training/news-commentary-v12.de-en.LANG', 'de'));
  make('training-parallel-nc-v9.tgz', bothSides('training/news-commentary-v9.fr-en.LANG', 'fr'));
  make(
    'training-parallel-un.tgz',
    bothSides('un/undoc.2000.fr-en.LANG', 'fr', ([pair]) => pair, 1000),
  );
  make(
    'training-giga-fren.tar',
    Object.fromEntries(
      Object.entries(bothSides('giga-fren.release2.fixed.LANG', 'fr')).map(([name, text]) => [
        `${name}.gz`,
        gzipSync(text),
      ]),
    ),
  );
  make(
    'dev.tgz',
    bothSides('dev/newstest2013.LANG', 'de', ([pair]) => pair, 8),
  );
  make('test-full.tgz', {
    ...newstest('deen', 'de'),
    ...newstest('fren', 'fr'),
  });
}

/** A sentence of a test set, among other lines. */
function segment([text, i]: Line): string {
  return `<doc>\n<seg id="${i}"> ${text} </seg>`;
}

/** A text of English and another language, `LANG` in its name standing for either. */
function bothSides(
  name: string,
  other: string,
  format: (line: Line) => string = ([text]) => text,
  count = PAIRS,
): Record<string, string> {
  const pairs = makeToyPairs(count, 1);
  const text = (side: keyof ToyPair): string =>
    pairs.map((pair, i) => `${format([pair[side], i])}\n`).join('');
  return {
    [name.replace('LANG', 'en')]: text('source'),
    [name.replace('LANG', other)]: text('target'),
  };
}

function newstest(languages: string, other: string): Record<string, string> {
  const sides = Object.entries(bothSides('LANG', other, segment, 8));
  return Object.fromEntries(
    sides.map(([language, text]) => [
      `test-full/newstest2014-${languages}-${language === 'en' ? 'src' : 'ref'}.${language}.sgm`,
      text,
    ]),
  );
}

/** Packs files into a tar archive, gzipped where its name ends in .tgz. */
export function makeArchive(archive: string, files: Files): void {
  const tree = mkdtempSync(path.join(tmpdir(), 'admin-nmt-archive-'));
  try {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
      writeFileSync(path.join(tree, file), content);
    }
    mkdirSync(path.dirname(archive), { recursive: true });
    execFileSync('tar', [archive.endsWith('.tgz') ? '-czf' : '-cf', archive, '-C', tree, '.']);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
