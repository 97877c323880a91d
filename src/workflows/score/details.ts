import { openAtomic } from '../../common/file-output.js';
import type { ScoreInput, Segment } from './input.js';

/** The scores of each line of each system as JSON, one line each, in a file that takes its place when it is whole. */
export interface DetailsWriter {
  /** @param scores for each system the scores of this line, by the names of the metrics */
  add(line: number, segment: Segment, scores: readonly Record<string, number>[]): void;
  commit(): void;
  /** Ends it; a file that was not committed is removed. */
  close(): void;
}

/** Characters that are held before they are written. */
const BUFFER = 1 << 20;

/**
 * @param systems names of the files of the systems, if any
 * @throws UserError where the file cannot be written
 */
export function openDetails(target: string, { systems }: Pick<ScoreInput, 'systems'>): DetailsWriter {
  const file = openAtomic(target);
  let held: string[] = [];
  let size = 0;
  const flush = (): void => {
    file.write(held.join(''));
    [held, size] = [[], 0];
  };
  return {
    add: (line, { source, hypotheses, references }, scores) => {
      hypotheses.forEach((hypothesis, i) => {
        const system = systems[i] ?? `System ${i + 1}`;
        const text = `${JSON.stringify({ line, system, scores: scores[i], source, hypothesis, references })}\n`;
        held.push(text);
        size += text.length;
      });
      if (size > BUFFER) flush();
    },
    commit: () => {
      flush();
      file.commit();
    },
    close: () => file.discard(),
  };
}
