/** Cells on either side of the diagonal that are looked at. */
const BEAM_WIDTH = 25;
/** Of a cell that no path reaches. Sums of it with any length stay whole numbers of 32 bits. */
const UNREACHED = 2 ** 29;
/** Stands beside the reference, equal to no word. */
const NO_WORD = -1;

/** Part of a hypothesis, [from, to), whose first `left` words go to its end. */
export interface Rotation {
  from: number;
  to: number;
  left: number;
}

/**
 * The edit distance of a hypothesis, which changes by rotations of its words, from a reference, within a beam around the
 * diagonal of the alignment matrix. Insertions, deletions and substitutions cost 1.
 *
 * Row i of the matrix stands for the first i words of the hypothesis, column j for the first j of the reference. Two
 * matrices are kept, and of each row only the columns within the beam: `forward`, the cost of coming from the start to a
 * cell, and `backward`, that of going on from there to the end. A rotation leaves the forward rows up to its start and
 * the backward rows from its end on as they are, so that what it would bring is found from the rows between.
 */
export class BeamEditDistance {
  /** The current order of the words; of its array the first `rows` numbers. */
  hypothesis = new Int32Array(0);
  rows = 0;
  columns = 0;
  /** The reference from index 1 on, between two that are no words. */
  private reference = new Int32Array(0);
  // of each row: the columns within the beam, [first, end)
  private first = new Int32Array(0);
  private end = new Int32Array(0);
  /** Cells a row: the widest beam, and on either side one that stays unreached. */
  private stride = 0;
  private forward = new Int32Array(0);
  private backward = new Int32Array(0);
  /** The last forward row and the first backward row that hold for the current hypothesis. */
  private forwardRow = 0;
  private backwardRow = 0;
  /** Rows of a rotation that is only tried: the one before and the one that follows from it, in turns. */
  private trial = new Int32Array(0);
  private rotated = new Int32Array(0);

  /** Starts anew. Hypothesis and reference are words as numbers from 0 on, at least one each. */
  start(hypothesis: Int32Array, reference: Int32Array): void {
    this.rows = hypothesis.length;
    this.columns = reference.length;
    this.reserve();
    this.hypothesis.set(hypothesis);
    this.reference[0] = NO_WORD;
    this.reference.set(reference, 1);
    this.reference[this.columns + 1] = NO_WORD;
    this.layBeam();
    this.fillFirstForwardRow();
    this.fillLastBackwardRow();
  }

  /** The edit distance of the current hypothesis. */
  distance(): number {
    for (; this.forwardRow < this.rows; this.forwardRow++) {
      const row = this.forwardRow + 1;
      const [from, to] = [this.forwardRow * this.stride, row * this.stride];
      this.fillForwardRow(row, this.hypothesis[row - 1], this.forward, from, this.forward, to);
    }
    return this.forward[this.cell(this.rows, this.columns)];
  }

  /** What the edit distance would be with the rotation. */
  distanceAfter({ from, to, left }: Rotation): number {
    this.distance();
    this.fillBackwardRows(to);
    const { hypothesis, forward, backward, stride, trial } = this;
    let [source, sourceAt, targetAt] = [forward, from * stride, 0];
    for (let row = from + 1; row <= to; row++) {
      const origin = row - 1 + left;
      const word = hypothesis[origin < to ? origin : origin - (to - from)];
      this.fillForwardRow(row, word, source, sourceAt, trial, targetAt);
      [source, sourceAt, targetAt] = [trial, targetAt, stride - targetAt];
    }
    let best = UNREACHED;
    const width = this.end[to] - this.first[to];
    const backwardAt = to * stride;
    for (let k = 1; k <= width; k++) {
      const through = source[sourceAt + k] + backward[backwardAt + k];
      if (through < best) best = through;
    }
    return best;
  }

  /** Rotates words of the hypothesis. */
  rotate({ from, to, left }: Rotation): void {
    const moved = this.rotated.subarray(0, left);
    moved.set(this.hypothesis.subarray(from, from + left));
    this.hypothesis.copyWithin(from, from + left, to);
    this.hypothesis.set(moved, to - left);
    this.forwardRow = Math.min(this.forwardRow, from);
    this.backwardRow = Math.max(this.backwardRow, to);
  }

  /**
   * Walks the cheapest path back from its end, preferring a match or substitution to a deletion and that to an insertion.
   *
   * @param visit is told of each step: the cell where it arrives, whether it takes a word of the hypothesis, whether one of
   *   the reference, and whether it costs
   */
  walkBack(
    visit: (row: number, column: number, takesRow: boolean, takesColumn: boolean, costs: boolean) => void,
  ): void {
    let [row, column] = [this.rows, this.columns];
    let value = this.distance();
    while (row > 0 || column > 0) {
      const diagonal = this.valueAt(row - 1, column - 1);
      const above = this.valueAt(row - 1, column);
      const differs = row === 0 || this.hypothesis[row - 1] !== this.reference[column];
      const takesBoth = value === diagonal + (differs ? 1 : 0);
      const takesRow = takesBoth || value === above + 1;
      const takesColumn = takesBoth || !takesRow;
      visit(row, column, takesRow, takesColumn, !takesBoth || differs);
      if (takesRow) row--;
      if (takesColumn) column--;
      value = takesBoth ? diagonal : value - 1;
    }
  }

  /** Memory for the current number of rows and columns, but the matrices, whose width is not known yet. */
  private reserve(): void {
    if (this.hypothesis.length < this.rows + 1) {
      const size = 2 * (this.rows + 1);
      for (const name of ['hypothesis', 'rotated', 'first', 'end'] as const) {
        this[name] = new Int32Array(size);
      }
    }
    if (this.reference.length < this.columns + 2) this.reference = new Int32Array(2 * (this.columns + 2));
  }

  /** The beam of every row. It is wider where the lengths differ so much that those of two rows would not meet. */
  private layBeam(): void {
    const { rows, columns, first, end } = this;
    const ratio = columns / rows;
    const beam = ratio / 2 > BEAM_WIDTH ? Math.ceil(ratio / 2 + BEAM_WIDTH) : BEAM_WIDTH;
    let widest = 0;
    for (let row = rows; row >= 0; row--) {
      const diagonal = Math.floor(row * ratio);
      first[row] = Math.max(0, diagonal - beam);
      end[row] = row === rows ? columns + 1 : Math.min(columns + 1, diagonal + beam);
      // row 0 has no beam, but only what row 1 can see of it matters
      if (row === 0) end[0] = end[1];
      widest = Math.max(widest, end[row] - first[row]);
    }
    this.stride = widest + 2;
    const cells = (rows + 1) * this.stride;
    if (this.forward.length < cells) {
      this.forward = new Int32Array(2 * cells);
      this.backward = new Int32Array(2 * cells);
    }
    if (this.trial.length < 2 * this.stride) this.trial = new Int32Array(4 * this.stride);
  }

  private fillFirstForwardRow(): void {
    this.forward[0] = UNREACHED;
    for (let column = 0; column < this.end[0]; column++) this.forward[1 + column] = column;
    this.forward[1 + this.end[0]] = UNREACHED;
    this.forwardRow = 0;
  }

  private fillLastBackwardRow(): void {
    const { rows, columns, backward } = this;
    const at = rows * this.stride;
    const width = this.end[rows] - this.first[rows];
    backward[at] = UNREACHED;
    for (let k = 1; k <= width; k++) backward[at + k] = columns - (this.first[rows] + k - 1);
    backward[at + width + 1] = UNREACHED;
    this.backwardRow = rows;
  }

  /** The row that follows from the one in `source` when the hypothesis goes on with `word`; both begin at an index. */
  private fillForwardRow(
    row: number,
    word: number,
    source: Int32Array,
    sourceAt: number,
    target: Int32Array,
    targetAt: number,
  ): void {
    const { reference } = this;
    const first = this.first[row];
    const end = this.end[row];
    const sourceFirst = this.first[row - 1];
    const seen = Math.min(end, this.end[row - 1] + 1);
    let read = sourceAt + first - sourceFirst;
    let write = targetAt;
    let diagonal = source[read++];
    let left = UNREACHED;
    target[write++] = UNREACHED;
    for (let column = first; column < seen; column++) {
      const above = source[read++];
      const indel = Math.min(above, left) + 1;
      const both = reference[column] === word ? diagonal : diagonal + 1;
      left = Math.min(both, indel);
      target[write++] = left;
      diagonal = above;
    }
    for (let column = seen; column < end; column++) target[write++] = ++left;
    target[write] = UNREACHED;
  }

  /** Fills the backward rows down to `row`; the mirror image of the forward ones. */
  private fillBackwardRows(row: number): void {
    const { reference, backward, stride } = this;
    while (this.backwardRow > row) {
      const belowFirst = this.first[this.backwardRow];
      const belowAt = this.backwardRow * stride;
      this.backwardRow--;
      const word = this.hypothesis[this.backwardRow];
      const first = this.first[this.backwardRow];
      const end = this.end[this.backwardRow];
      const seen = Math.max(first, belowFirst - 1);
      let read = belowAt + 1 + end - belowFirst;
      let write = this.backwardRow * stride + 1 + end - first;
      let diagonal = backward[read--];
      let right = UNREACHED;
      backward[write--] = UNREACHED;
      for (let column = end - 1; column >= seen; column--) {
        const below = backward[read--];
        const indel = Math.min(below, right) + 1;
        const both = reference[column + 1] === word ? diagonal : diagonal + 1;
        right = Math.min(both, indel);
        backward[write--] = right;
        diagonal = below;
      }
      for (let column = seen - 1; column >= first; column--) backward[write--] = ++right;
      backward[write] = UNREACHED;
    }
  }

  private cell(row: number, column: number): number {
    return row * this.stride + 1 + column - this.first[row];
  }

  /** The forward value of a cell; of one outside of the beam that of an unreached one. */
  private valueAt(row: number, column: number): number {
    if (row < 0 || column < this.first[row] || column >= this.end[row]) return UNREACHED;
    return this.forward[this.cell(row, column)];
  }
}
