import { writeAtomic } from '../../common/files.js';
import { formatFixed } from '../../metrics/decimal.js';
import { formatInterval } from '../../metrics/format.js';
import { markDifferences } from '../../metrics/ngram-marks.js';
import type { BLEU } from '../../metrics/sacrebleu.js';
import { comparisonPage } from '../../report/comparison-page.js';
import type { ComparedSegment } from '../../report/comparison-segments.js';
import type { ScoreInput, Segment } from './input.js';
import type { Column, OutputOptions } from './output.js';

/** What a page of two systems is made of, gathered line by line. */
export class ComparisonPage {
  private readonly marked: BLEU;
  private readonly segments: ComparedSegment[] = [];

  /** @param marked whose tokens are marked: those of its n-grams that one system has and the other has not */
  constructor(marked: BLEU) {
    this.marked = marked;
  }

  /** Adds the two translations of a line. @param scores of each; the first metric is the one that is shown */
  add(
    line: number,
    { source, hypotheses, references }: Segment,
    scores: readonly Record<string, number>[],
  ): void {
    const tokens = (text: string) => this.marked.tokens(text);
    const [a, b] = hypotheses;
    const marks = markDifferences(tokens(a), tokens(b), references.map(tokens));
    const [scoreA, scoreB] = scores.map((own) => Object.values(own)[0]);
    const sides = {
      a: { text: a, tokens: marks.a, score: scoreA },
      b: { text: b, tokens: marks.b, score: scoreB },
    };
    this.segments.push({ line, source, references, ...sides });
  }

  /** Writes the page. @throws UserError where the file cannot be written */
  write(
    target: string,
    { systems, references, source, width }: ScoreInput & OutputOptions,
    columns: readonly Column[],
  ): void {
    const [a, b] = systems;
    const chunks = comparisonPage({
      title: `${a} and ${b}`,
      systems: { a, b },
      source,
      references,
      corpus: columns.map(({ name, signature, results }) => {
        const [first, second] = results.map(({ score }) => formatFixed(score, width));
        const [intervalA, intervalB] = results.map(({ confidence }) =>
          confidence === undefined ? undefined : formatInterval(confidence, width),
        );
        const { pValue, finding } = results[1];
        return {
          metric: name,
          a: first,
          b: second,
          intervalA,
          intervalB,
          pValue: pValue === undefined ? undefined : `${formatFixed(pValue, 4)}, ${finding}`,
          signature: signature.format(),
        };
      }),
      sentenceMetric: { name: columns[0].name, lowerIsBetter: columns[0].name === 'TER' },
      segments: this.segments,
    });
    writeAtomic(target, (write) => {
      for (const chunk of chunks) write(chunk);
    });
  }
}
