import { UserError } from '../common/errors.js';
import { buildDoubleArray } from './double-array.js';

/** What a text becomes, in code points; nothing where it goes away. */
type Rule = readonly [from: readonly number[], to: readonly number[]];

const MOST_CODE_POINT = 0x10ffff;
/** Rules whose keys begin one another (kMaxTrieResultsSize). */
const MOST_NESTED = 31;

/**
 * Compiles normalisation rules as spm_train's --normalization_rule_tsv has them: on each line code points in hexadecimal, a
 * tab, what becomes of them; more columns are comments. The bytes are those that spm_train puts into a model.
 *
 * @param file to name in an error
 * @throws UserError with `file:line` for what is no rule
 */
export function compileRules(text: string, file: string): Buffer {
  const rules = new Map<string, Rule>();
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  lines.forEach((line, i) => {
    const [from, to = ''] = line.replace(/\r$/, '').split('\t');
    const where = `${file}:${i + 1}`;
    const rule: Rule = [codePoints(from, where), codePoints(to, where)];
    if (rule[0].length === 0) throw noRule(where, line);
    rules.set(String.fromCodePoint(...rule[0]), rule); // the last of several counts
  });
  if (rules.size === 0) throw noRule(file, '');
  return compile([...rules.values()], file);
}

function compile(rules: readonly Rule[], file: string): Buffer {
  const places = new Map<string, number>();
  let length = 0;
  for (const [, to] of rules.toSorted(([, a], [, b]) => compareLists(a, b))) {
    const text = String.fromCodePoint(...to);
    if (places.has(text)) continue;
    places.set(text, length);
    length += Buffer.byteLength(text) + 1;
  }
  const entries = rules
    .map(([from, to]) => ({
      key: Buffer.from(String.fromCodePoint(...from)),
      value: places.get(String.fromCodePoint(...to))!,
    }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  checkNesting(
    entries.map(({ key }) => key),
    file,
  );
  const units = buildDoubleArray(
    entries.map(({ key }) => key),
    entries.map(({ value }) => value),
  );
  const blob = Buffer.alloc(4 + 4 * units.length + length);
  blob.writeUInt32LE(4 * units.length);
  units.forEach((unit, i) => {
    blob.writeUInt32LE(unit, 4 + 4 * i);
  });
  for (const [text, place] of places) blob.write(text, 4 + 4 * units.length + place);
  return blob;
}

function codePoints(field: string, where: string): number[] {
  return field
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => {
      const code = /^[0-9A-Fa-f]{1,6}$/.test(part) ? Number.parseInt(part, 16) : 0;
      const isText = code > 0 && code <= MOST_CODE_POINT && (code < 0xd800 || code > 0xdfff);
      if (!isText) throw noRule(where, part);
      return code;
    });
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** @param keys in order: those that begin a key come before it */
function checkNesting(keys: readonly Buffer[], file: string): void {
  const begun: Buffer[] = [];
  for (const key of keys) {
    while (begun.length > 0 && !key.subarray(0, begun.at(-1)!.length).equals(begun.at(-1)!)) begun.pop();
    begun.push(key);
    if (begun.length <= MOST_NESTED) continue;
    throw new UserError({
      problem: `expected at most ${MOST_NESTED} rules that begin one another, found more, down to '${key.toString()}'`,
      where: file,
    });
  }
}

function noRule(where: string, found: string): UserError {
  return new UserError({
    problem: `expected a normalisation rule: code points in hexadecimal, a tab, those that they become; found '${found.slice(0, 60)}'`,
    where,
    hint: 'For example `41 300<TAB>C0`; what is before the tab goes away where nothing is behind it.',
  });
}
