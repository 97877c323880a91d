import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProseOptions, prose } from '../../../src/formats/document/prose.js';

const EN: ProseOptions = { language: 'en', targetLanguage: 'de' };
const same = (text: string, options = EN): string => {
  const part = prose(text, options);
  return part.assemble(part.segments);
};

test('sentences without what stands between them, which stays', () => {
  const text = '  One dog. Two dogs!  Three?\n\n\tA line\r\nand another.  ';
  const { segments, assemble } = prose(text, EN);
  assert.deepEqual(segments, ['One dog.', 'Two dogs!', 'Three?', 'A line', 'and another.']);
  assert.equal(assemble(segments), text);
  assert.equal(assemble(['1', '2', '3', '4', '5']), '  1 2  3\n\n\t4\r\n5  ');
});

test('text of any shape comes back as it was', () => {
  for (const text of ['', '\n', ' ', '\n\n\n', 'a', 'a\n', '\u3000a\u3000', '...', '\ud83d\ude00. B', 'a\rb'])
    assert.equal(same(text), text, JSON.stringify(text));
});

test('full stops that end no sentence', () => {
  const text = 'Mr. Smith met J. R. Tolkien. He left. "Really?" she said.';
  assert.deepEqual(prose(text, EN).segments, [
    'Mr. Smith met J. R. Tolkien.',
    'He left.',
    '"Really?" she said.',
  ]);
  const german = 'Am 3. Mai war es warm. Dr. Meier kam.';
  assert.deepEqual(prose(german, { ...EN, language: 'de' }).segments, [
    'Am 3. Mai war es warm.',
    'Dr. Meier kam.',
  ]);
});

test('sentences without spaces get some in a language that has them', () => {
  const part = (targetLanguage: string) => prose('你好。很好！', { language: 'zh', targetLanguage });
  assert.deepEqual(part('en').segments, ['你好。', '很好！']);
  assert.equal(part('en').assemble(['Hello.', 'Good!']), 'Hello. Good!');
  assert.equal(part('ja').assemble(['A。', 'B！']), 'A。B！');
});

test('what no model can take at once is divided between words', () => {
  const fits = (text: string): boolean => text.trim().split(/\s+/).length <= 3;
  const text = 'one two three four five six seven eight, nine and one-single-word';
  const { segments } = prose(text, { ...EN, fits });
  assert.ok(segments.every(fits));
  assert.equal(segments.join(' '), text);
  assert.equal(same(text, { ...EN, fits }), text);
  assert.deepEqual(prose('unending', { ...EN, fits: () => false }).segments, ['unending']);
});

test('a language of any name', () => {
  for (const language of ['toa', 'de_DE', 'src', 'x', ''])
    assert.equal(same('A. B', { ...EN, language }), 'A. B');
});
