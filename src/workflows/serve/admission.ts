import type { ServeConfig } from '../../config/schema.js';
import { checkRequest, lineName } from '../../decode/line-request.js';
import type { LineSearch, PreparedLine } from '../../decode/line-translator.js';
import { prose } from '../../formats/document/prose.js';
import { HttpError } from '../http/http-error.js';
import { type AskedWishes, orRefused } from './asked-search.js';
import type { ServedModel } from './models.js';

/** A text of a request: its sentences, and how their translations become a text again. */
export type Text = ReturnType<typeof prose>;

/** What a request asks of its texts. */
export interface Asked {
  readonly wishes: AskedWishes | undefined;
  readonly how: LineSearch;
  /** The place of the first sentence, which errors name and samples are drawn by; default 0. */
  readonly first?: number;
}

/**
 * The texts of a request, taken apart into sentences; one of which something is wished is a sentence as it is.
 *
 * @throws HttpError 413 where they are more than a request may have, 400 where what is wished cannot be had
 */
export function takeApart(
  texts: readonly string[],
  model: ServedModel,
  limits: Pick<ServeConfig, 'maxLines' | 'maxRequestTokens'>,
  { wishes, how, first = 0 }: Asked,
): { parts: Text[]; lines: PreparedLine[]; tokens: number } {
  const { source, target, tag, lines: translator } = model;
  const fits = (text: string): boolean => translator.tokensOf(text, tag) <= translator.maxPositions;
  const parts = texts.map((text) =>
    wishes === undefined
      ? prose(text, { language: source, targetLanguage: target, fits })
      : sentence(text, fits(text)),
  );
  const sentences = parts.flatMap(({ segments }) => segments);
  if (sentences.length > limits.maxLines)
    throw new HttpError(413, `expected at most ${limits.maxLines} sentences, found ${sentences.length}`);
  const prepare = (text: string, index: number): PreparedLine =>
    translator.prepare(
      checkRequest({ source: text, ...(tag !== undefined && { tag }), ...wishes }, lineName(first + index)),
      first + index,
      how,
    );
  const lines = orRefused(() => sentences.map(prepare));
  const tokens = lines.reduce((sum, { line }) => sum + line.ids.length, 0);
  if (tokens > limits.maxRequestTokens)
    throw new HttpError(413, `expected at most ${limits.maxRequestTokens} tokens, found ${tokens}`);
  return { parts, lines, tokens };
}

/** A text as the one sentence that it is. */
function sentence(text: string, fits: boolean): Text {
  const own = text.trim();
  if (/[\r\n]/.test(own))
    throw new HttpError(400, 'expected one line of text with its wishes, found several');
  if (!fits)
    throw new HttpError(413, 'expected a text with wishes that the model takes whole, found a longer one');
  return own === ''
    ? { segments: [], assemble: () => text }
    : { segments: [own], assemble: ([translation]) => translation };
}

/** @throws HttpError 503 where the model has ended, 429 where too much waits for it */
export function admit({ lines }: ServedModel, tokens: number, mostWaiting: number): void {
  if (lines.failure !== undefined)
    throw new HttpError(503, `the model has ended: ${messageOf(lines.failure)}`);
  if (lines.waitingTokens === 0 || lines.waitingTokens + tokens <= mostWaiting) return;
  throw new HttpError(429, 'too many sentences wait for the model: ask again later', { 'Retry-After': '2' });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
