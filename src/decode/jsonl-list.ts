import type { GivenUnit } from './forced-scores.js';
import { BaseList, givenTarget, type ListLine, notAList, type Sources, shownLine } from './given-list.js';
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
export class JsonlList extends BaseList<Sources | null> {
  override async line(line: ListLine): Promise<GivenUnit[]> {
    const record = parseRecord(line);
    const { tokens: asTokens, field } = this.options;
    const source =
      (await this.source?.at(record.line - 1, line.where, 1)) ?? this.codec.encode(record.source);
    const targets = record.hypotheses.map(({ text, tokens }) => {
      if (asTokens && tokens === undefined) throw notAList(line, 'a hypothesis without tokens');
      const given = asTokens ? withoutEnd(tokens!) : undefined;
      return givenTarget(text, given, this.codec, line.where);
    });
    const write: GivenUnit['write'] = (scores, _aligned, order = [...record.hypotheses.keys()]) => {
      const hypotheses = order.map((i) => ({
        ...record.hypotheses[i],
        [field]: rounded(scores[i].total), // −∞ is null in JSON
      }));
      return `${JSON.stringify({ ...record, hypotheses })}\n`;
    };
    return [{ source, sentence: record.line - 1, targets, write }];
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
  if (!Number.isInteger(record?.line) || record!.line! < 1 || typeof record?.source !== 'string')
    return false;
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
