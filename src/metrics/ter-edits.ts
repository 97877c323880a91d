import { BeamEditDistance, type Rotation } from './beam-edit-distance.js';
import { numberWords } from './word-numbers.js';

/** Limits of Tercom: words that are shifted at once, and how far the place they match may be from their own. */
const MAX_SHIFT_SIZE = 10;
const MAX_SHIFT_DISTANCE = 50;
/** A limit of sacreBLEU: after so many candidates for shifts of one hypothesis the search ends. */
const MAX_CANDIDATES = 1000;

/** Words of the hypothesis, `length` from `start` on, that are the words of the reference from `place` on. */
interface Block {
  start: number;
  place: number;
  length: number;
}

interface Candidate {
  rotation: Rotation;
  /** By how much the edit distance shrinks. */
  gain: number;
  length: number;
}

/**
 * Counts the edits of TER (Snover et al., 2006): insertions, deletions and substitutions of words, and shifts of blocks of
 * words. Shifts are searched greedily, with the heuristics and limits of Tercom as sacreBLEU's metrics/lib_ter.py has them.
 */
export class EditCounter {
  private readonly matrix = new BeamEditDistance();
  private reference: Int32Array = new Int32Array(0);
  /** The alignment: position[j] words of the hypothesis belong to the first j of the reference. */
  private position = new Int32Array(0);
  // for each index the number of words from there on that are not aligned with an equal one
  private hypothesisErrors = new Int32Array(0);
  private referenceErrors = new Int32Array(0);
  private candidates = 0;

  /** The edits that turn the hypothesis into the reference. */
  count(hypothesis: readonly string[], reference: readonly string[]): number {
    if (hypothesis.length === 0 || reference.length === 0) return hypothesis.length + reference.length;
    const numbers = new Map<string, number>();
    this.reference = numberWords(reference, numbers);
    this.matrix.start(numberWords(hypothesis, numbers), this.reference);
    this.candidates = 0;
    for (let shifts = 0; ; shifts++) {
      const shift = this.findShift();
      if (shift === undefined) return shifts + this.matrix.distance();
      this.matrix.rotate(shift);
    }
  }

  /**
   * The shift that shortens the edit distance most; of equal ones that of the longest block, then of the earliest block,
   * then to the earliest target. Undefined when none shortens it and when the candidates are used up.
   */
  private findShift(): Rotation | undefined {
    if (this.matrix.distance() === 0) return undefined;
    this.align();
    const { rows, columns, hypothesis } = this.matrix;
    const { reference, hypothesisErrors } = this;
    let best: Candidate | undefined;
    for (let start = 0; start < rows; start++) {
      if (hypothesisErrors[start] === hypothesisErrors[Math.min(rows, start + MAX_SHIFT_SIZE)]) continue;
      const lastPlace = Math.min(columns - 1, start + MAX_SHIFT_DISTANCE);
      for (let place = Math.max(0, start - MAX_SHIFT_DISTANCE); place <= lastPlace; place++) {
        const longest = Math.min(MAX_SHIFT_SIZE, rows - start, columns - place);
        for (let n = 0; n < longest && hypothesis[start + n] === reference[place + n]; n++) {
          const block = { start, place, length: n + 1 };
          if (this.isMisplaced(block)) best = this.tryTargets(block, best);
          if (this.candidates >= MAX_CANDIDATES) return undefined;
        }
      }
    }
    return best?.rotation;
  }

  /** Whether both the block and the place it matches hold an error, and it is not there already. */
  private isMisplaced({ start, place, length }: Block): boolean {
    const { hypothesisErrors, referenceErrors } = this;
    if (hypothesisErrors[start] === hypothesisErrors[start + length]) return false;
    if (referenceErrors[place] === referenceErrors[place + length]) return false;
    const aligned = this.position[place + 1] - 1;
    return aligned < start || aligned >= start + length;
  }

  /**
   * Tries to put the block behind the words that the place's words, and the one before them, are aligned with.
   * Blocks come by their start and targets from left to right, so that of equal candidates the first is the one to keep.
   */
  private tryTargets(block: Block, best: Candidate | undefined): Candidate | undefined {
    const { place, length } = block;
    let winner = best;
    for (let j = place; j <= place + length; j++) {
      if (j > place && this.position[j] === this.position[j - 1]) continue;
      const rotation = rotationOf(block, this.position[j], this.matrix.rows);
      const gain = this.matrix.distance() - this.matrix.distanceAfter(rotation);
      this.candidates++;
      const better =
        winner === undefined
          ? gain > 0
          : gain > winner.gain || (gain === winner.gain && length > winner.length);
      if (better) winner = { rotation, gain, length };
    }
    return winner;
  }

  /** Reads the alignment and the errors off the cheapest path. */
  private align(): void {
    const { rows, columns } = this.matrix;
    if (this.hypothesisErrors.length <= rows) this.hypothesisErrors = new Int32Array(2 * rows + 1);
    if (this.referenceErrors.length <= columns) {
      this.referenceErrors = new Int32Array(2 * columns + 1);
      this.position = new Int32Array(2 * columns + 1);
    }
    const { hypothesisErrors, referenceErrors, position } = this;
    hypothesisErrors[rows] = 0;
    referenceErrors[columns] = 0;
    this.matrix.walkBack((row, column, takesRow, takesColumn, costs) => {
      if (takesRow) hypothesisErrors[row - 1] = hypothesisErrors[row] + (costs ? 1 : 0);
      if (takesColumn) {
        referenceErrors[column - 1] = referenceErrors[column] + (costs ? 1 : 0);
        position[column] = row;
      }
    });
    position[0] = 0;
  }
}

/**
 * Moves a block to before the word `target`. As in Tercom a target within or right behind the block moves it on by that
 * many words instead.
 */
function rotationOf({ start, length }: Block, target: number, rows: number): Rotation {
  if (target < start) return { from: target, to: start + length, left: start - target };
  if (target > start + length) return { from: start, to: target, left: length };
  return { from: start, to: Math.min(rows, target + length), left: length };
}
