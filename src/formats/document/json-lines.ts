import { UserError } from '../../common/errors.js';
import { type DocumentPart, within } from './part.js';

/** What a line of JSON is made of. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

/**
 * A line of JSON whose text in one field is translated. All else stays as it is written: the order of fields, spaces, numbers. A line without the
 * field, or with null in it, is not touched.
 *
 * @param takeApart of the text
 * @throws UserError for what is no object, or no text in the field
 */
export function jsonPart(
  line: string,
  field: string,
  where: string,
  takeApart: (text: string) => DocumentPart,
): DocumentPart {
  const value = objectOf(line, where)[field];
  if (value === undefined || value === null) return { segments: [], assemble: () => line };
  if (typeof value !== 'string')
    throw new UserError({ problem: `expected a text in the field ${field}, found a ${typeof value}`, where });
  const { start, end } = placeOf(line, field);
  return within(
    takeApart(value),
    (text) => `${line.slice(0, start)}${JSON.stringify(text)}${line.slice(end)}`,
  );
}

function objectOf(line: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UserError({
      problem: `expected JSON, found something else (${(error as Error).message})`,
      where,
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UserError({ problem: 'expected a JSON object', where });
}

/** Where the value of a field stands in a valid line: the last one of that name, which is the one that counts. */
function placeOf(line: string, field: string): { start: number; end: number } {
  let depth = 0;
  let [before, name] = ['', ''];
  let place = { start: 0, end: 0 };
  for (const { 0: token, index } of line.matchAll(TOKEN)) {
    if (token === '}' || token === ']') depth--;
    if (depth === 1 && before === ':' && JSON.parse(name) === field)
      place = { start: index, end: index + token.length };
    if (token === '{' || token === '[') depth++;
    if (depth === 1 && token.startsWith('"') && before !== ':') name = token;
    before = token;
  }
  return place;
}
