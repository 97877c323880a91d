import { UserError } from '../../common/errors.js';
import { log } from '../../common/log.js';
import { readLines } from '../../data/text-source.js';
import type { GivenUnit, TargetScore } from '../../decode/forced-scores.js';
import { type ListOptions, SourceInOrder } from '../../decode/given-list.js';
import { readList } from '../../decode/read-list.js';
import type { LineCodec } from '../../decode/text-codec.js';
import {
  type AlignmentKind,
  alignmentJson,
  behindMark,
  formatTranslation,
  rounded,
  shown,
  type TranslatedHypothesis,
} from '../../decode/translation-format.js';

export const EVALUATION_FORMATS = ['text', 'jsonl', 'fairseq'] as const;
export type EvaluationFormat = (typeof EVALUATION_FORMATS)[number];

/** What translations are read from. */
export interface Given {
  source?: string;
  /** A line for each line of the source. */
  target?: string;
  /** Or a list of them, with numbers. */
  nbest?: string;
}

export interface GivenOptions extends ListOptions {
  lenpen: number;
  format: EvaluationFormat;
  maxPositions: number;
  /** What of alignments is written, of two texts. */
  alignment: AlignmentKind | null;
}

/** The translations of two texts, or of a list. @throws UserError for texts that do not belong together */
export function readGiven(given: Given, codec: LineCodec, options: GivenOptions): AsyncGenerator<GivenUnit> {
  const encode = cutting(codec, options.maxPositions);
  return given.nbest === undefined
    ? readPairs(given.source!, given.target!, codec, encode, options)
    : readGivenList(given.nbest, given.source, codec, encode, options);
}

/** Source ids of one line after another, cut to what the model can take, which is said. */
function cutting(codec: LineCodec, maxPositions: number): (text: string) => Int32Array {
  let line = 0;
  return (text) => {
    line++;
    const ids = codec.encode(text);
    const fitting = codec.fit(maxPositions, ids);
    if (fitting.length < ids.length)
      log.warn(`source ${line}: ${ids.length} tokens, cut to the ${maxPositions} positions of the model`);
    return fitting;
  };
}

async function* readPairs(
  source: string,
  target: string,
  codec: LineCodec,
  encode: (text: string) => Int32Array,
  { format, lenpen, alignment }: GivenOptions,
): AsyncGenerator<GivenUnit> {
  const [sources, targets] = [readLines(source), readLines(target)];
  for (let index = 0; ; index++) {
    const [before, after] = [await sources.next(), await targets.next()];
    if (before.done === true && after.done === true) return;
    if (before.done === true || after.done === true) {
      const [short, long] = before.done === true ? [source, target] : [target, source];
      throw new UserError({
        problem: `expected as many lines as ${short} has, ${index}, found more`,
        where: `${long}:${index + 1}`,
        hint: 'Line N of one file is the translation of line N of the other.',
      });
    }
    const ids = encode(before.value);
    const text = after.value;
    const targetIds = codec.encodeTarget(text);
    const sourceTokens = codec.sourceTokens(ids.subarray(0, Math.max(0, ids.length - 1)));
    const write: GivenUnit['write'] = ([score], [aligned] = []) => {
      const hypotheses = [{ ...hypothesis(score), ...aligned }];
      return formatPair({ index, source: before.value, sourceTokens, hypotheses }, format, alignment);
    };
    const hypothesis = ({ logProbs, total }: TargetScore): TranslatedHypothesis => ({
      text,
      tokens: codec.targetTokens(targetIds),
      logProbs,
      total,
      score: total / Math.max(1, logProbs.length) ** lenpen,
    });
    yield { source: ids, text: before.value, targets: [{ ids: targetIds, text }], write };
  }
}

type Scored = Parameters<typeof formatTranslation>[0];

function formatPair(pair: Scored, format: EvaluationFormat, kind: AlignmentKind | null): string {
  if (format === 'fairseq') return formatTranslation(pair, 'fairseq', kind);
  const { index, source, hypotheses } = pair;
  const [{ text, tokens, logProbs, total, alignment }] = hypotheses;
  if (format === 'text') return `${shown(total)}${behindMark(hypotheses[0], kind)}\n`;
  const written = {
    ...{ line: index + 1, source, target: text, logProb: rounded(total) },
    ...{ tokens, tokenLogProbs: logProbs.map(rounded) },
    alignment: alignmentJson(alignment, kind),
  };
  return `${JSON.stringify(written)}\n`;
}

function readGivenList(
  file: string,
  sourceFile: string | undefined,
  codec: LineCodec,
  encode: (text: string) => Int32Array,
  options: GivenOptions,
): AsyncGenerator<GivenUnit> {
  const cut = {
    encode,
    encodeTarget: codec.encodeTarget.bind(codec),
    targetIds: codec.targetIds.bind(codec),
  };
  const source = sourceFile === undefined ? null : new SourceInOrder(readLines(sourceFile), encode);
  return readList(file, source, cut, options);
}
