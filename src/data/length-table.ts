/** What the plan of an epoch depends on beside the options: tokens of each sentence, `</s>` counted, [N]. */
export interface PairLengths {
  readonly sourceLengths: Int32Array;
  readonly targetLengths: Int32Array;
  /** Which pairs of a source these are, where they are not all of it in its order. */
  readonly indices?: Int32Array;
}

type Side = 'source' | 'target';

/** Most pairs of lengths that are counted in a table with a place for each; what has longer ones is sorted. */
const MOST_PLACES = 1 << 24;

/**
 * How many pairs of a split have which lengths. A cell is all pairs of one source and one target length; cells go by
 * the length of one side, then by that of the other, as the pairs of an epoch do.
 */
export class LengthTable {
  /** Of the cells, in their order. */
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly counts: Int32Array;
  private readonly first: Side;
  private readonly width: number;
  /** The cell of each pair of lengths, or the keys of the cells, which are searched. */
  private readonly places: Int32Array | null;
  private readonly keys: Float64Array;

  /** @param first the side by whose length the cells go first */
  constructor(
    { sourceLengths, targetLengths }: PairLengths,
    first: Side = 'target',
    mostPlaces = MOST_PLACES,
  ) {
    const [major, minor] =
      first === 'target' ? [targetLengths, sourceLengths] : [sourceLengths, targetLengths];
    const width = longestOf(minor) + 1;
    const size = width * (longestOf(major) + 1);
    this.first = first;
    this.width = width;
    this.places = size <= mostPlaces ? new Int32Array(size) : null;
    const { keys, counts } =
      this.places === null ? countSorted(minor, major, width) : countPlaces(minor, major, width, this.places);
    this.keys = keys;
    this.counts = counts;
    const majors = Int32Array.from(keys, (key) => Math.floor(key / width));
    const minors = Int32Array.from(keys, (key) => key % width);
    [this.source, this.target] = first === 'target' ? [minors, majors] : [majors, minors];
  }

  /** The cell of pairs with these lengths, of which there must be one. */
  cellOf(source: number, target: number): number {
    const key = this.first === 'target' ? target * this.width + source : source * this.width + target;
    return this.places === null ? placeIn(this.keys, key) : this.places[key];
  }

  /** The longest sentence of either side that is not over a limit, or the least that is asked for. */
  longest(limit: number, least: number): number {
    let longest = least;
    for (const lengths of [this.source, this.target]) {
      for (const length of lengths) if (length <= limit && length > longest) longest = length;
    }
    return longest;
  }
}

const tables: Record<Side, WeakMap<PairLengths, LengthTable>> = {
  source: new WeakMap(),
  target: new WeakMap(),
};

/** The table of a split, counted when it is first asked for. @param first the side by whose length its cells go first */
export function lengthTable(pairs: PairLengths, first: Side = 'target'): LengthTable {
  const table = tables[first].get(pairs) ?? new LengthTable(pairs, first);
  tables[first].set(pairs, table);
  return table;
}

interface Counted {
  keys: Float64Array;
  counts: Int32Array;
}

/** @param places become the cells of their lengths */
function countPlaces(minor: Int32Array, major: Int32Array, width: number, places: Int32Array): Counted {
  for (let i = 0; i < minor.length; i++) places[major[i] * width + minor[i]]++;
  const cells = places.reduce((found, count) => found + (count > 0 ? 1 : 0), 0);
  const [keys, counts] = [new Float64Array(cells), new Int32Array(cells)];
  let cell = 0;
  for (let key = 0; key < places.length; key++) {
    if (places[key] === 0) continue;
    [keys[cell], counts[cell], places[key]] = [key, places[key], cell];
    cell++;
  }
  return { keys, counts };
}

function countSorted(minor: Int32Array, major: Int32Array, width: number): Counted {
  const all = Float64Array.from(minor, (length, i) => major[i] * width + length).sort();
  const keys = all.filter((key, i) => i === 0 || key !== all[i - 1]);
  const counts = new Int32Array(keys.length);
  let cell = 0;
  for (const key of all) {
    if (key !== keys[cell]) cell++;
    counts[cell]++;
  }
  return { keys, counts };
}

function placeIn(keys: Float64Array, key: number): number {
  let [low, high] = [0, keys.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function longestOf(lengths: Int32Array): number {
  let longest = 0;
  for (let i = 0; i < lengths.length; i++) if (lengths[i] > longest) longest = lengths[i];
  return longest;
}
