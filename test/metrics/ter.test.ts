import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { corpusTer, sentenceTer, TER } from '../../src/metrics/sacrebleu.js';
import { startCpuTime } from '../cpu-time.js';

function assertScore(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) < 1e-3, `expected ${expected}, found ${found}`);
}

test('TER as sacreBLEU tests it', () => {
  // the cases of its test/test_ter.py
  const cases: [hypothesis: string, reference: string, score: number][] = [
    ['aaaa bbbb cccc dddd', 'aaaa bbbb cccc dddd', 0],
    ['dddd eeee ffff', 'aaaa bbbb cccc', 100],
    ['', 'a', 100],
    ['a', '', 100],
    ['', '', 0],
    ['d e f g h a b c', 'a b c d e f g h', 12.5],
  ];
  for (const [hypothesis, reference, score] of cases) {
    assertScore(corpusTer([hypothesis], [[reference]]).score, score);
  }
  const start =
    'wählen Sie " Bild neu berechnen , " um beim Ändern der Bildgröße Pixel hinzuzufügen oder zu entfernen , damit';
  const same = [
    'wenn Sie alle Aufgaben im aktuellen Dokument aktualisieren möchten , wählen Sie im Menü des Aufgabenbedienfelds die Option " Alle Aufgaben aktualisieren . "',
    'wählen Sie im Dialogfeld " Neu aus Vorlage " eine Vorlage aus und klicken Sie auf " Neu . "',
  ];
  const hypotheses = [
    `${start} das Bild ungefähr dieselbe Größe aufweist wie die andere Größe .`,
    'klicken Sie auf der Registerkarte " Optionen " auf die Schaltfläche " Benutzerdefiniert " und geben Sie Werte für " Fehlerkorrektur-Level " und " Y / X-Verhältnis " ein .',
    'Sie können beispielsweise ein Dokument erstellen , das ein Auto über die Bühne enthält .',
  ];
  const references = [
    `${start} die Darstellung des Bildes in einer anderen Größe beibehalten wird .`,
    'klicken Sie auf der Registerkarte " Optionen " auf die Schaltfläche " Benutzerdefiniert " und geben Sie für " Fehlerkorrektur-Level " und " Y / X-Verhältnis " niedrigere Werte ein .',
    'Sie können beispielsweise ein Dokument erstellen , das ein Auto enthalt , das sich über die Bühne bewegt .',
  ];
  assertScore(corpusTer([...hypotheses, ...same], [[...references, ...same]]).score, 13.6);
});

describe('TER by hand', () => {
  const statistics = (hypothesis: string, ...references: string[]) =>
    new TER().extractStatistics(hypothesis, references);

  /** `count` words that are all different. */
  const words = (prefix: string, count: number, first = 0) =>
    Array.from({ length: count }, (_, i) => `${prefix}${first + i}`).join(' ');
  /** Words of which few are different: `word` tells the one at each place. */
  const line = (length: number, word: (i: number) => number) =>
    Array.from({ length }, (_, i) => word(i)).join(' ');

  test('a block that is moved is one edit, wherever it comes from', () => {
    assert.deepEqual(statistics('c d a b e', 'a b c d e'), [1, 5]);
    assert.deepEqual(statistics('b c d e f a', 'a b c d e f'), [1, 6]);
  });

  test('a block of more than ten words takes more than one shift', () => {
    const moved = (size: number) =>
      statistics(`${words('a', size)} ${words('b', 20)}`, `${words('b', 20)} ${words('a', size)}`)[0];
    assert.equal(moved(10), 1);
    assert.equal(moved(11), 2);
  });

  test('a block is moved over fifty words, and not over more', () => {
    const moved = (distance: number) => {
      const rest = words('w', distance);
      return [statistics(`x ${rest}`, `${rest} x`)[0], statistics(`${rest} x`, `x ${rest}`)[0]];
    };
    assert.deepEqual(
      [moved(49), moved(50), moved(51)],
      [
        [1, 1],
        [1, 1],
        [2, 2],
      ],
    );
  });

  test('words are aligned within 25 places, and one less to the other side', () => {
    const edits = (offset: number) => {
      const reference = words('w', 60);
      const later = `${words('x', offset)} ${words('w', 60 - offset)}`;
      const earlier = `${words('w', 60 - offset, offset)} ${words('y', offset)}`;
      return [statistics(later, reference)[0], statistics(earlier, reference)[0]];
    };
    assert.deepEqual(
      [edits(24), edits(25), edits(26)],
      [
        [48, 48],
        [50, 60],
        [60, 60],
      ],
    ); // sacreBLEU's numbers
  });

  test('a block is looked for at a word whose tenth is the first error', () => {
    const hypothesis = line(51, (i) => (10 * i * i + i) % 2);
    const reference = line(51, (i) => (i * i + Math.floor(i / 10)) % 2);
    assert.deepEqual(statistics(hypothesis, reference), [4, 51]); // sacreBLEU's number
  });

  test('the search for shifts ends after exactly a thousand candidates', () => {
    // sacreBLEU's numbers; a limit of 1001 makes the first 24, one of 999 the second 33
    const first = statistics(
      line(36, (i) => (2 * i * i + i) % 4),
      line(36, (i) => (i * i + Math.floor(i / 2)) % 4),
    );
    const second = statistics(
      line(49, (i) => (3 * i * i + Math.floor(i / 6)) % 3),
      line(49, (i) => (i ** 3 + 3 * i + 6) % 3),
    );
    assert.deepEqual(
      [first, second],
      [
        [25, 36],
        [31, 49],
      ],
    );
  });

  test('the search for shifts ends after a thousand candidates', () => {
    const hypothesis = line(100, (i) => i ** 3 % 5);
    const reference = line(100, (i) => (i * i + Math.floor(i / 3)) % 3);
    assert.deepEqual(statistics(hypothesis, reference), [76, 100]); // sacreBLEU's number; without a limit it is 62
  });

  test('of several references the fewest edits and the mean length count', () => {
    assert.deepEqual(statistics('a b c', 'a b', 'x y z q', 'a'), [1, 7 / 3]);
  });

  test('text without references to compare its length with is all wrong, or all right', () => {
    assert.equal(sentenceTer('a b', ['']).score, 100);
    assert.equal(sentenceTer('', ['', '']).score, 0);
    assert.deepEqual(sentenceTer('', ['a b']), {
      name: 'TER',
      score: 100,
      verbose: '',
      numEdits: 2,
      refLength: 2,
    });
  });

  test('references are normalized twice, as sacreBLEU does', () => {
    const metric = new TER({ normalized: true });
    assert.deepEqual(metric.extractStatistics('.,0,78', ['.,0,78']), [2, 3]); // . ,0,78 against . , 0,78
    assert.deepEqual(metric.extractStatistics('., 0,78', ['.,0,78']), [0, 3]);
  });

  test('the signature tells the options', () => {
    const signature = (metric: TER) => {
      metric.sentenceScore('a', ['a', 'b']);
      return metric
        .getSignature()
        .format()
        .replace(/\|impl.*/, '');
    };
    assert.equal(signature(new TER()), 'nrefs:2|case:lc|tok:tercom|norm:no|punct:yes|asian:no');
    const all = { normalized: true, noPunct: true, asianSupport: true, caseSensitive: true };
    assert.equal(signature(new TER(all)), 'nrefs:2|case:mixed|tok:tercom|norm:yes|punct:no|asian:yes');
  });
});

describe('TER of any text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 }).map((words) => words.join(' ')),
  );
  const options = fc.record({
    normalized: fc.boolean(),
    noPunct: fc.boolean(),
    asianSupport: fc.boolean(),
    caseSensitive: fc.boolean(),
  });

  test('is 0 of text that is its own reference, and never needs more edits than writing it anew', () => {
    fc.assert(
      fc.property(text, text, options, (hypothesis, reference, settings) => {
        const metric = new TER(settings);
        const own = metric.sentenceScore(hypothesis, [hypothesis]).numEdits;
        assert.ok(own === 0 || settings.normalized, `${own}`); // references are normalized twice
        const [edits, length] = metric.extractStatistics(hypothesis, [reference]);
        const [hypothesisLength] = metric.extractStatistics(hypothesis, ['']);
        assert.ok(edits >= Math.abs(hypothesisLength - length) && edits <= hypothesisLength + length);
      }),
    );
  });

  test('of lines of ten thousand words takes seconds', () => {
    const words = Array.from({ length: 10_000 }, (_, i) => `w${(i * i) % 977}`);
    const moved = words.flatMap((_, i) => (i % 9 < 3 ? [words[i - (i % 9) + ((i + 1) % 3)]] : [words[i]]));
    const milliseconds = startCpuTime();
    assert.ok(sentenceTer(moved.join(' '), [words.join(' ')]).numEdits > 1000);
    assert.ok(sentenceTer(words.join(' '), ['w1 w2']).numEdits >= 9998);
    assert.ok(sentenceTer('w1 w2', [words.join(' ')]).numEdits >= 9998);
    assert.equal(sentenceTer(words.join(' '), [words.join(' ')]).numEdits, 0);
    assert.ok(milliseconds() < 20_000);
  });
});
