import { UserError } from '../common/errors.js';
import type { InputLines } from '../data/input-lines.js';
import type { Translation } from '../decode/translation-format.js';
import { jsonPart } from '../formats/document/json-lines.js';
import { type DocumentPart, within } from '../formats/document/part.js';
import { type ProseOptions, prose } from '../formats/document/prose.js';
import { subtitleParts } from '../formats/document/subtitles.js';
import type { Written } from './translate-together.js';

export type DocumentFormat = 'document' | 'srt' | 'vtt' | 'jsonl';

export interface DocumentKind {
  format: DocumentFormat;
  /** Of the objects of jsonl: the one that is translated. */
  field?: string;
}

export type DocumentOptions = DocumentKind & ProseOptions;

/** @throws UserError where what else is asked for does not go with a document */
export function checkDocument(
  { format, field }: DocumentKind,
  inputFormat: string,
  output: string,
  processes: number,
  alignment: string | null,
): void {
  const refuse = (problem: string, where: string, hint: string) => new UserError({ problem, where, hint });
  if (format !== 'jsonl' && field !== undefined)
    throw refuse(`a field is for jsonl, found ${format}`, '--field', 'Leave one of them out.');
  if (processes > 1)
    throw refuse(`a document is translated by one process, found ${processes}`, '--document', 'Start one.');
  if (inputFormat !== 'text')
    throw refuse(`lines of ${inputFormat} are no document`, '--input-format', 'Leave it out.');
  if (alignment !== null)
    throw refuse('a document is written as it was read, without alignments', '--alignment', 'Leave it out.');
  if (output !== 'text')
    throw refuse(`a document is written as it was read, found ${output}`, '--format', 'Leave it out.');
}

/** The lines of a document, and how many sentences are in them. */
export class DocumentLines {
  private readonly source: InputLines;
  private lines = 0;
  private sentences = 0;
  private ended = false;

  constructor(source: InputLines) {
    this.source = source;
  }

  /** The parts of the document, one behind the other, which are counted as they are read. */
  async *parts(options: DocumentOptions): AsyncGenerator<DocumentPart> {
    for await (const part of partsOf(this.counted(), options)) {
      this.sentences += part.segments.length;
      yield part;
    }
    this.ended = true;
  }

  /** What the number of sentences will be, as far as it can be told: as many in each line as in those so far. */
  get estimate(): number | undefined {
    const { estimate } = this.source;
    if (this.ended) return this.sentences;
    return estimate === undefined || this.lines === 0
      ? undefined
      : Math.round((this.sentences * estimate) / this.lines);
  }

  private async *counted(): AsyncGenerator<string> {
    for await (const line of this.source) {
      this.lines++;
      yield line;
    }
  }
}

function partsOf(lines: AsyncIterable<string>, options: DocumentOptions): AsyncIterable<DocumentPart> {
  const { format, field } = options;
  if (format === 'srt' || format === 'vtt') return subtitleParts(lines);
  const takeApart = (text: string): DocumentPart => prose(text, options);
  return mapLines(lines, (line, number) =>
    format === 'document' || line.trim() === ''
      ? takeApart(line)
      : jsonPart(line, field!, `line ${number}`, takeApart),
  );
}

async function* mapLines(
  lines: AsyncIterable<string>,
  partOfLine: (line: string, number: number) => DocumentPart,
): AsyncGenerator<DocumentPart> {
  let number = 0;
  for await (const line of lines) yield within(partOfLine(line, ++number), (text) => `${text}\n`);
}

/**
 * Translates a document part by part, as its segments are translated.
 *
 * @param translate translates segments in their order, as they come
 */
export async function* translateParts(
  parts: AsyncIterable<DocumentPart>,
  translate: (segments: AsyncIterable<string>) => AsyncIterable<Translation>,
): AsyncGenerator<Written> {
  const open: DocumentPart[] = [];
  const whole = function* (): Generator<Written> {
    while (open.length > 0 && open[0].segments.length === 0)
      yield { text: open.shift()!.assemble([]), sentences: 0, tokens: 0 };
  };
  async function* segments(): AsyncGenerator<string> {
    for await (const part of parts) {
      open.push(part);
      yield* part.segments;
    }
  }
  let own: string[] = [];
  let tokens = 0;
  for await (const { hypotheses } of translate(segments())) {
    yield* whole();
    own.push(hypotheses[0].text);
    tokens += hypotheses[0].tokens.length;
    if (own.length < open[0].segments.length) continue;
    yield { text: open.shift()!.assemble(own), sentences: own.length, tokens };
    [own, tokens] = [[], 0];
  }
  yield* whole();
}
