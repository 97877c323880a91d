import { isUtf8 } from 'node:buffer';
import { UserError } from '../../common/errors.js';
import { readFileBounded } from '../../common/file-input.js';
import { Tokenizer } from '../../tokenizer/index.js';

const MOST_BYTES = 2 ** 26;
const MOST_SYMBOLS = 2 ** 20;
/** The symbols that Marian expects first. */
const FIRST = ['</s>', '<unk>'];
/** A line of a vocabulary of Marian: a symbol, plain or in quotes, and its id. */
const LINE = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|(\S.*?)): *(\d{1,9})$/;

/**
 * The symbols of a vocabulary of Marian by their ids: a .yml with a line `symbol: id` for each, or a SentencePiece model
 * that was trained with `</s>` and `<unk>` as its first pieces.
 *
 * @throws UserError for a file that is neither, ids that are missing or there twice, and other first symbols
 */
export function readMarianVocabulary(file: string): string[] {
  const symbols = /\.ya?ml$/i.test(file)
    ? readYaml(file)
    : Tokenizer.load(file).pieces.map(({ piece }) => piece);
  FIRST.forEach((symbol, id) => {
    if (symbols[id] === symbol) return;
    throw notAVocabulary(file, `expected '${symbol}' with id ${id}, found '${symbols[id] ?? 'none'}'`);
  });
  const broken = symbols.findIndex((symbol) => /^\s*$|[\n\r]/.test(symbol));
  if (broken !== -1)
    throw notAVocabulary(file, `the symbol with id ${broken} is ${JSON.stringify(symbols[broken])}`);
  return symbols;
}

function readYaml(file: string): string[] {
  const bytes = readFileBounded(file, 'a vocabulary of Marian', MOST_BYTES);
  if (!isUtf8(bytes)) throw notAVocabulary(file, 'found bytes that are not UTF-8');
  const byId = new Map<number, string>();
  const lines = bytes.toString().split('\n');
  if (lines.length > MOST_SYMBOLS) throw notAVocabulary(file, `found ${lines.length} lines`);
  lines.forEach((line, i) => {
    const text = line.trimEnd();
    if (text === '' || text === '---' || text.startsWith('#')) return;
    const entry = parseLine(text);
    if (entry === undefined)
      throw notAVocabulary(`${file}:${i + 1}`, `expected 'symbol: id', found '${text.slice(0, 60)}'`);
    const [symbol, id] = entry;
    if (byId.has(id)) throw notAVocabulary(`${file}:${i + 1}`, `found the id ${id} a second time`);
    byId.set(id, symbol);
  });
  return Array.from({ length: byId.size }, (_, id) => {
    const symbol = byId.get(id);
    if (symbol === undefined) throw notAVocabulary(file, `expected ids from 0 on, found none with id ${id}`);
    return symbol;
  });
}

function parseLine(text: string): [symbol: string, id: number] | undefined {
  const [, double, single, plain, id] = LINE.exec(text) ?? [];
  if (id === undefined) return undefined;
  const symbol = plain ?? single?.replaceAll("''", "'") ?? unescaped(double);
  return symbol === undefined ? undefined : [symbol, Number(id)];
}

/** The text between double quotes of YAML; undefined for an escape that there is not. */
function unescaped(text: string): string | undefined {
  const json = text
    .replace(/\\U([0-9a-fA-F]{8})/g, (_, hex: string) => {
      const code = Number.parseInt(hex, 16);
      return code > 0x10ffff ? '\\!' : String.fromCodePoint(code);
    })
    .replace(/\\x([0-9a-fA-F]{2})/g, '\\u00$1');
  try {
    return JSON.parse(`"${json}"`) as string;
  } catch {
    return undefined;
  }
}

function notAVocabulary(where: string, problem: string): UserError {
  return new UserError({
    problem: `expected a vocabulary of Marian: ${problem}`,
    where,
    hint: 'Give the vocabularies that the model was trained with, as .yml or SentencePiece models.',
  });
}
