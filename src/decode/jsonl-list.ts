import type { GivenUnit, TargetScore } from './forced-scores.js';
import {
  BaseList,
  givenTarget,
  type ListLine,
  notAList,
  type SourceInOrder,
  shownLine,
} from './given-list.js';
import { rounded } from './translation-format.js';

/** A line of `translate --format jsonl`, as far as it is read; lines count from 1. */
interface Record {
  line: number;
  source: string;
  hypotheses: { text: string; tokens?: string[] }[];
}

/**
 * What `translate --format jsonl` writes. Its hypotheses get a field; all others stay. The source may be null, to take that of the
 * list.
 */
export class JsonlList extends BaseList<SourceInOrder | null> {
  override async line(line: ListLine): Promise<GivenUnit[]> {
    const record = parseRecord(line);
    const { tokens: asTokens, feature } = this.options;
    const source =
      (await this.source?.at(record.line - 1, line.where, 1)) ?? this.codec.encode(record.source);
    const targets = record.hypotheses.map(({ text, tokens }) => {
      if (asTokens && tokens === undefined) throw notAList(line, 'a hypothesis without tokens');
      const given = asTokens ? withoutEnd(tokens!) : undefined;
      return givenTarget(text, given, this.codec, line.where);
    });
    const write = (scores: readonly TargetScore[]): string => {
      const hypotheses = record.hypotheses.map((hypothesis, i) => ({
        ...hypothesis,
        [feature]: rounded(scores[i].total), // −∞ is null in JSON
      }));
      return `${JSON.stringify({ ...record, hypotheses })}\n`;
    };
    return [{ source, targets, write }];
  }
}

function parseRecord(line: ListLine): Record {
  let record: Partial<Record> | null = null;
  try {
    record = JSON.parse(line.text);
  } catch {
    throw notAList(line, shownLine(line.text));
  }
  if (isRecord(record)) return record;
  throw notAList(line, 'an object without line, source and hypotheses as translate writes them');
}

function isRecord(record: Partial<Record> | null): record is Record {
  if (!Number.isInteger(record?.line) || typeof record?.source !== 'string') return false;
  const { hypotheses } = record;
  return (
    Array.isArray(hypotheses) &&
    hypotheses.every(
      (hypothesis) =>
        typeof hypothesis?.text === 'string' &&
        (hypothesis.tokens === undefined || isTexts(hypothesis.tokens)),
    )
  );
}

const isTexts = (values: unknown): boolean =>
  Array.isArray(values) && values.every((value) => typeof value === 'string');

const withoutEnd = (tokens: readonly string[]): readonly string[] =>
  tokens.at(-1) === '</s>' ? tokens.slice(0, -1) : tokens;
