import { mapInOrder } from '../../common/in-order.js';
import type { PreparedLine } from '../../decode/line-translator.js';
import type { Translation } from '../../decode/translation-format.js';
import { readBody } from '../http/request-body.js';
import { admit, type Text, takeApart } from './admission.js';
import { checkToken, type Service, type Session, searchFor, translateSentence } from './session.js';
import { bearerOf } from './token.js';
import { parseTranslateRequest } from './translate-request.js';

/** Sentences of one request that are under way at a time: another request need not wait for the last of a long one. */
const UNDER_WAY = 256;

/** `POST /translate`: the answer as LibreTranslate gives it. @throws HttpError */
export async function answerTranslate(service: Service, session: Session): Promise<unknown> {
  const started = performance.now();
  const { config, models, metrics } = service;
  const { request, signal } = session;
  const body = await readBody(request, { maxBytes: config.maxBody, timeout: 1000 * config.timeout });
  const asked = parseTranslateRequest(request, body);
  checkToken(service, bearerOf(request.headers.authorization) ?? asked.apiKey);
  const model = models.find(asked.source, asked.target);
  const how = searchFor(model, asked.search, asked.alternatives + 1);
  const { parts, lines, tokens } = takeApart(asked.texts, model, config, { wishes: asked.wishes, how });
  admit(model, tokens, config.maxWaitingTokens);
  const translations: Translation[] = [];
  const translate = (line: PreparedLine) => translateSentence(service, model, line, signal);
  for await (const translation of mapInOrder(each(lines), translate, UNDER_WAY))
    translations.push(translation);
  metrics.took((performance.now() - started) / 1000);
  const answers = assembled(parts, translations, asked.alternatives);
  const detected = { confidence: 100, language: model.source };
  const detectedLanguage =
    asked.source !== 'auto' ? undefined : asked.single ? detected : answers.map(() => detected);
  const [texts, alternatives] = [
    answers.map(({ text }) => text),
    answers.map((answer) => answer.alternatives),
  ];
  return {
    ...(asked.alternatives > 0 && { alternatives: asked.single ? alternatives[0] : alternatives }),
    ...(detectedLanguage !== undefined && { detectedLanguage }),
    translatedText: asked.single ? texts[0] : texts,
  };
}

async function* each(lines: readonly PreparedLine[]): AsyncGenerator<PreparedLine, undefined> {
  yield* lines;
  return undefined;
}

/** The translation of each text; alternatives are the next hypotheses of all its sentences, where there are such. */
function assembled(
  parts: readonly Text[],
  translations: readonly Translation[],
  most: number,
): { text: string; alternatives: string[] }[] {
  let first = 0;
  return parts.map(({ segments, assemble }) => {
    const own = translations.slice(first, first + segments.length);
    first += segments.length;
    const found = Math.max(0, ...own.map(({ hypotheses }) => hypotheses.length));
    const nth = (n: number) =>
      assemble(own.map(({ hypotheses }) => hypotheses[Math.min(n, hypotheses.length - 1)].text));
    const others = Array.from({ length: Math.min(most, Math.max(0, found - 1)) }, (_, i) => nth(i + 1));
    return { text: nth(0), alternatives: [...new Set(others)].filter((other) => other !== nth(0)) };
  });
}
