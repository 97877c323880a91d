import type { ServeConfig } from '../../config/schema.js';
import { prose } from '../../formats/document/prose.js';
import { HttpError } from '../http/http-error.js';
import type { ServedModel } from './models.js';

/** A text of a request: its sentences, and how their translations become a text again. */
export type Text = ReturnType<typeof prose>;

/** The texts of a request, taken apart. @throws HttpError 413 where they are more than a request may have */
export function takeApart(
  texts: readonly string[],
  { source, target, lines }: ServedModel,
  limits: Pick<ServeConfig, 'maxLines' | 'maxRequestTokens'>,
): { parts: Text[]; tokens: number } {
  const fits = (text: string): boolean => lines.tokensOf(text) <= lines.maxPositions;
  const parts = texts.map((text) => prose(text, { language: source, targetLanguage: target, fits }));
  const sentences = parts.flatMap(({ segments }) => segments);
  if (sentences.length > limits.maxLines)
    throw new HttpError(413, `expected at most ${limits.maxLines} sentences, found ${sentences.length}`);
  const tokens = sentences.reduce((sum, sentence) => sum + lines.tokensOf(sentence), 0);
  if (tokens > limits.maxRequestTokens)
    throw new HttpError(413, `expected at most ${limits.maxRequestTokens} tokens, found ${tokens}`);
  return { parts, tokens };
}

/** @throws HttpError 503 where the model has ended, 429 where too much waits for it */
export function admit({ lines: { search } }: ServedModel, tokens: number, mostWaiting: number): void {
  if (search.failure !== undefined)
    throw new HttpError(503, `the model has ended: ${messageOf(search.failure)}`);
  if (search.waitingTokens === 0 || search.waitingTokens + tokens <= mostWaiting) return;
  throw new HttpError(429, 'too many sentences wait for the model: ask again later', { 'Retry-After': '2' });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
