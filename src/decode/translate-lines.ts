import type { Stop } from '../common/stop.js';
import { EOS } from '../data/dictionary.js';
import type { Aligned, Aligner } from './alignment/aligner.js';
import { Phrases } from './choice/phrases.js';
import type { BatchLimits } from './length-batches.js';
import { type LineRequest, lineName, splitRequest } from './line-request.js';
import { LookAhead } from './look-ahead.js';
import type { MinimumRisk } from './minimum-risk.js';
import { readWishes } from './read-wishes.js';
import type { Hypothesis, SearchOptions } from './search.js';
import { isPlain, type Wishes } from './search-options.js';
import type { SearchAll } from './sentence-queue.js';
import type { Terminology } from './terminology.js';
import type { LineCodec } from './text-codec.js';
import type { Translation } from './translation-format.js';

export interface TranslateOptions extends SearchOptions, BatchLimits {
  /** Hypotheses to keep for each line, at most `beam`; without `risk`, samples to draw. */
  nbest: number;
  /** Lines to read ahead, which are grouped by length; they bound the memory. */
  bufferSize: number;
  /** What phrases of a line are to become. */
  terms?: Terminology | null;
  /** Ranks all `beam` hypotheses anew, before `nbest` of them are kept. */
  risk?: MinimumRisk | null;
  /** Aligns translations with their lines, where that is wanted. */
  aligner?: Aligner | null;
  /** The place of a line in the whole text, where these are a part of it. */
  placeOf?: (index: number) => number;
  /** Told of a line with more tokens than the model has positions for: its place from 0, and its length. */
  onCut?: (index: number, length: number) => void;
  /** Told of a line whose best translation lacks phrases that it must have. */
  onMissing?: (index: number, phrases: readonly string[]) => void;
  /** Told how many further lines are done. */
  onDone?: (lines: number) => void;
  /** Told when all lines that have come are done, and more of them are waited for. */
  onWait?: () => void;
  /** Ends it with its reason: after the lines that are under way, or at once while more of them are waited for. */
  signal?: Stop;
}

/** Lines that are told of at once: after the first alone nobody can say how long the others will take. */
const TOLD_TOGETHER = 32;

export interface Line {
  index: number;
  text: string;
  /** Source ids as the model gets them. */
  ids: Int32Array;
  /** Phrases that its translation must have. */
  constraints?: readonly string[];
  wishes?: Wishes;
}

/**
 * Translates lines as they come: every line gives one translation, in order. Those that have come while others were
 * translated are translated together; none waits for one that has not come. Blank lines stay blank; a line with more
 * tokens than the model has positions for is cut to what it can take.
 */
export async function* translateLines(
  lines: AsyncIterable<string | LineRequest>,
  searchAll: SearchAll,
  codec: LineCodec,
  options: TranslateOptions,
): AsyncGenerator<Translation> {
  const { placeOf = (index) => index, signal } = options;
  const ahead = new LookAhead(lines, options.bufferSize);
  const stop = (): void => ahead.close();
  signal?.addEventListener('abort', stop);
  try {
    for (let index = 0; ; ) {
      const texts = signal?.aborted ? [] : await ahead.take(options.onWait);
      if (signal?.aborted) throw signal.reason;
      if (texts.length === 0) return;
      const first = index;
      const group = texts.map((text, i) => newLine(text, placeOf(first + i), codec, options));
      index += group.length;
      yield* await translateTogether(group, searchAll, codec, options);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    ahead.close();
  }
}

/** What of the options makes a line of a request. */
type LineOptions = SearchOptions & Pick<TranslateOptions, 'terms' | 'onCut'>;

/** A line in ids, with what is wished of it. @throws UserError that names the line, where that cannot be had */
export function newLine(
  given: string | LineRequest,
  index: number,
  codec: LineCodec,
  options: LineOptions,
): Line {
  const request = typeof given === 'string' ? requestOf(given, options) : given;
  const { source, tag } = request;
  const whole = codec.encode(source, tag, lineName(index));
  const ids = codec.fit(options.maxPositions, whole);
  if (ids.length < whole.length) options.onCut?.(index, whole.length);
  const terms = options.terms?.phrasesFor(source) ?? [];
  const constraints = [...(request.constraints ?? []), ...terms];
  const length = ids.indexOf(EOS) + 1; // of the first source, where several models have one each
  const wishes =
    length === 0 ? undefined : readWishes({ ...request, constraints }, index, length, codec, options);
  return { index, text: source, ids, constraints, wishes };
}

/** A line of text, with the phrases behind it where they are asked for. */
const requestOf = (text: string, { constraints }: LineOptions): LineRequest =>
  constraints == null ? { source: text } : splitRequest(text);

async function translateTogether(
  lines: readonly Line[],
  searchAll: SearchAll,
  codec: LineCodec,
  options: TranslateOptions,
): Promise<Translation[]> {
  const found = new Map<Line, Hypothesis[]>();
  const filled = lines.filter(({ ids }) => ids.length > 0);
  if (filled.length < lines.length) options.onDone?.(lines.length - filled.length);
  let untold = 0;
  const tell = (least: number): void => {
    if (untold < least) return;
    options.onDone?.(untold);
    untold = 0;
  };
  const { nbest, risk } = options;
  const how = options.sampling === true && !risk ? { ...options, beam: nbest } : options;
  for (const { group, wishes } of apart(filled, options))
    await searchAll(
      group.map(({ ids }) => ids),
      how,
      (place, hypotheses) => {
        found.set(group[place], risk ? hypotheses : hypotheses.slice(0, nbest));
        untold++;
        tell(TOLD_TOGETHER);
      },
      wishes,
    );
  tell(1);
  const aligned = await alignFound(found, options.aligner);
  return lines.map((line) => {
    const translation = describe(line, found.get(line), codec, options, aligned.get(line));
    const { missing = [] } = translation.hypotheses[0];
    if (missing.length > 0) options.onMissing?.(line.index, missing);
    return translation;
  });
}

async function alignFound(
  found: ReadonlyMap<Line, Hypothesis[]>,
  aligner: TranslateOptions['aligner'],
): Promise<Map<Line, Aligned[]>> {
  if (aligner == null) return new Map();
  const lines = [...found].map(([{ text, ids }, hypotheses]) => ({
    ...{ text, ids },
    targets: hypotheses.map(({ tokens }) => tokens),
  }));
  const aligned = await aligner.align(lines);
  return new Map([...found.keys()].map((line, i) => [line, aligned[i]]));
}

/** Those that a plain beam can translate by themselves: what others wish changes nothing of them, the time they take included. */
function apart(lines: readonly Line[], options: TranslateOptions): { group: Line[]; wishes?: Wishes[] }[] {
  const isPlainly = ({ wishes }: Line): boolean => wishes === undefined && isPlain(options);
  const [plain, ruled] = [true, false].map((plainly) => lines.filter((line) => isPlainly(line) === plainly));
  const wishes = ruled.map(({ index, wishes }) => wishes ?? { line: index });
  return [{ group: plain }, { group: ruled, wishes }].filter(({ group }) => group.length > 0);
}

/** What a line has become. @param found best first; undefined for a blank line. @param aligned what each of them gets besides */
export function describe(
  line: Line,
  found: Hypothesis[] | undefined,
  codec: LineCodec,
  options: Pick<TranslateOptions, 'constraints' | 'risk' | 'nbest'>,
  aligned: readonly Aligned[] = [],
): Translation {
  const { nbest, risk } = options;
  const translation = inText(line, found, codec, options, aligned);
  const hypotheses = risk?.ranked(translation.hypotheses) ?? translation.hypotheses;
  return { ...translation, hypotheses: hypotheses.slice(0, nbest) };
}

function inText(
  { index, text, ids, constraints = [], wishes }: Line,
  found: Hypothesis[] | undefined,
  codec: LineCodec,
  options: Pick<TranslateOptions, 'constraints'>,
  aligned: readonly Aligned[],
): Translation {
  const ordered = options.constraints === 'ordered';
  const wanted = ordered ? constraints : [...new Set(constraints)];
  const missingIn = (tokens: readonly number[]): string[] => {
    const phrases = wishes!.required!.map((phrase) => new Phrases([phrase]));
    const all = new Phrases(wishes!.required!, true);
    if (ordered) return all.missing(all.after(tokens)).map((i) => wanted[i]);
    return wanted.filter((_, i) => phrases[i].need(phrases[i].after(tokens)) > 0);
  };
  return {
    index,
    source: text,
    sourceTokens: codec.sourceTokens(ids.subarray(0, Math.max(0, ids.length - 1))),
    hypotheses: found?.map(({ tokens, logProbs, total, score }, n) => ({
      text: codec.decode(tokens),
      tokens: codec.targetTokens(tokens),
      logProbs,
      total,
      score,
      ...(wanted.length > 0 && { missing: missingIn(tokens) }),
      ...aligned[n],
    })) ?? [{ text: '', tokens: [], logProbs: [], total: 0, score: 0 }],
  };
}
