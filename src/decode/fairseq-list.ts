import type { GivenUnit, TargetScore } from './forced-scores.js';
import { BaseList, givenTarget, type ListLine, notAList, shownLine } from './given-list.js';
import { fairseqScore, fairseqTokenScores, shown } from './translation-format.js';

/** A line of a translation: `H-N score tokens`, `D-N score text`, `P-N scores` or `A-N links`, with tabs between. */
interface Part {
  kind: string;
  number: string;
  /** What follows the score. */
  text: string;
  /** All of it. */
  line: string;
  where: string;
}

/**
 * The lines of fairseq-generate, sentences from 0. `H`, `D`, `P` and `A` lines of one translation follow one another; the
 * first three get its new score, and all other lines stay.
 */
export class FairseqList extends BaseList {
  /** The lines of a translation that more may follow. */
  private open: Part[] = [];
  private sourceIds: Int32Array = new Int32Array(0);

  override async line(line: ListLine): Promise<GivenUnit[]> {
    const [, kind, number, rest] = /^([A-Z])-(\d+)\t(.*)$/.exec(line.text) ?? [];
    if (kind === undefined) throw notAList(line, shownLine(line.text));
    const [, text = ''] = /\t(.*)$/.exec(rest) ?? [];
    if ('HD'.includes(kind) && !rest.includes('\t')) throw notAList(line, shownLine(line.text));
    const part = { kind, number, text, line: line.text, where: line.where };
    const [first] = this.open;
    const goesOn =
      first !== undefined &&
      first.number === number &&
      'DPA'.includes(kind) &&
      !this.open.some((other) => other.kind === kind);
    if (!goesOn && kind === 'P') throw notAList(line, `P-${number} without H-${number} before it`);
    const complete = goesOn ? [] : this.end();
    if (!goesOn && !'HD'.includes(kind)) return [...complete, asItStands(line.text)];
    if (!goesOn) this.sourceIds = await this.source.at(Number(number), line.where);
    this.open.push(part);
    return complete;
  }

  override end(): GivenUnit[] {
    const parts = this.open;
    this.open = [];
    if (parts.length === 0) return [];
    const { tokens: asTokens, lenpen } = this.options;
    const [tokens, text] = ['H', 'D'].map((wanted) => parts.find(({ kind }) => kind === wanted));
    if (asTokens && tokens === undefined) throw notAList(parts[0], 'D- without H-, which has the tokens');
    const words = tokens?.text.split(' ').filter((word) => word !== '');
    const said = text ?? tokens!;
    const target = givenTarget(said.text, asTokens ? words : undefined, this.codec, said.where);
    const write = ([score]: readonly TargetScore[]): string =>
      parts.map((part) => `${writePart(part, score, lenpen)}\n`).join('');
    return [{ source: this.sourceIds, sentence: Number(parts[0].number), targets: [target], write }];
  }
}

function writePart(
  { kind, number, text, line }: Part,
  { total, logProbs }: TargetScore,
  lenpen: number | null,
): string {
  if (kind === 'A' || (kind === 'P' && lenpen === null)) return line;
  if (lenpen === null) return `${kind}-${number}\t${shown(total)}\t${text}`;
  if (kind === 'P') return `P-${number}\t${fairseqTokenScores(logProbs)}`;
  return `${kind}-${number}\t${fairseqScore(total / Math.max(1, logProbs.length) ** lenpen)}\t${text}`;
}

const asItStands = (text: string): GivenUnit => ({
  source: new Int32Array(0),
  targets: [],
  write: () => `${text}\n`,
});
