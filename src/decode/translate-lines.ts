import { EOS } from '../data/dictionary.js';
import type { BatchLimits } from './length-batches.js';
import { LookAhead } from './look-ahead.js';
import type { Hypothesis, SearchOptions } from './search.js';
import type { SearchAll } from './sentence-queue.js';
import type { TextCodec } from './text-codec.js';
import type { Translation } from './translation-format.js';

export interface TranslateOptions extends SearchOptions, BatchLimits {
  /** Hypotheses to keep for each line, at most `beam`. */
  nbest: number;
  /** Lines to read ahead, which are grouped by length; they bound the memory. */
  bufferSize: number;
  /** Told of a line with more tokens than the model has positions for: its place from 0, and its length. */
  onCut?: (index: number, length: number) => void;
  /** Told how many further lines are done. */
  onDone?: (lines: number) => void;
  /** Told when all lines that have come are done, and more of them are waited for. */
  onWait?: () => void;
}

/** Lines that are told of at once: after the first alone nobody can say how long the others will take. */
const TOLD_TOGETHER = 32;

export interface Line {
  index: number;
  text: string;
  /** Source ids as the model gets them. */
  ids: Int32Array;
}

/**
 * Translates lines as they come: every line gives one translation, in order. Those that have come while others were
 * translated are translated together; none waits for one that has not come. Blank lines stay blank; a line with more
 * tokens than the model has positions for is cut to what it can take.
 */
export async function* translateLines(
  lines: AsyncIterable<string>,
  searchAll: SearchAll,
  codec: TextCodec,
  options: TranslateOptions,
): AsyncGenerator<Translation> {
  const ahead = new LookAhead(lines, options.bufferSize);
  try {
    for (let index = 0; ; ) {
      const texts = await ahead.take(options.onWait);
      if (texts.length === 0) return;
      const first = index;
      const group = texts.map((text, i) => newLine(text, first + i, codec, options));
      index += group.length;
      yield* await translateTogether(group, searchAll, codec, options);
    }
  } finally {
    ahead.close();
  }
}

function newLine(
  text: string,
  index: number,
  codec: TextCodec,
  { maxPositions, onCut }: TranslateOptions,
): Line {
  const ids = codec.encode(text);
  if (ids.length > maxPositions) onCut?.(index, ids.length);
  return { index, text, ids: fitTo(maxPositions, ids) };
}

/** Source ids cut to what a model can take, `</s>` at the end. */
export function fitTo(maxPositions: number, ids: Int32Array): Int32Array {
  if (ids.length <= maxPositions) return ids;
  const cut = ids.slice(0, maxPositions);
  cut[maxPositions - 1] = EOS;
  return cut;
}

async function translateTogether(
  lines: readonly Line[],
  searchAll: SearchAll,
  codec: TextCodec,
  options: TranslateOptions,
): Promise<Translation[]> {
  const found = new Map<Line, Hypothesis[]>();
  const filled = lines.filter(({ ids }) => ids.length > 0);
  if (filled.length < lines.length) options.onDone?.(lines.length - filled.length);
  const sources = filled.map(({ ids }) => ids);
  let untold = 0;
  const tell = (least: number): void => {
    if (untold < least) return;
    options.onDone?.(untold);
    untold = 0;
  };
  await searchAll(sources, options, (place, hypotheses) => {
    found.set(filled[place], hypotheses.slice(0, options.nbest));
    untold++;
    tell(TOLD_TOGETHER);
  });
  tell(1);
  return lines.map((line) => describe(line, found.get(line), codec));
}

/** What a line has become. @param found best first; undefined for a blank line */
export function describe(
  { index, text, ids }: Line,
  found: Hypothesis[] | undefined,
  codec: TextCodec,
): Translation {
  return {
    index,
    source: text,
    sourceTokens: codec.sourceTokens(ids.subarray(0, Math.max(0, ids.length - 1))),
    hypotheses: found?.map(({ tokens, logProbs, total, score }) => ({
      text: codec.decode(tokens),
      tokens: codec.targetTokens(tokens),
      logProbs,
      total,
      score,
    })) ?? [{ text: '', tokens: [], logProbs: [], total: 0, score: 0 }],
  };
}
