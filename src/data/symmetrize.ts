import type { WordLink } from './pharaoh.js';

/** How alignments of both directions become one. */
export const SYMMETRIES = ['grow-diag-final-and', 'intersection', 'union'] as const;
export type Symmetry = (typeof SYMMETRIES)[number];

/** What lies beside a link, before what lies across. */
const NEIGHBOURS: readonly WordLink[] = [
  ...([-1, 1] as const).flatMap((step): WordLink[] => [
    [step, 0],
    [0, step],
  ]),
  ...([-1, 1] as const).flatMap((step): WordLink[] => [
    [step, -1],
    [step, 1],
  ]),
];

/**
 * Joins the alignments of both directions: what both have, what any has, or what both have and grows from it (Koehn et
 * al. 2005, "Edinburgh System Description for the 2005 IWSLT Speech Translation Evaluation"): links of either that lie
 * beside or across from one that is there, and link a word that has none; in the end those that link two words which
 * both have none.
 *
 * @param forward for each word of the target the one of the source that it comes from; −1 for none
 * @param backward for each word of the source that of the target
 * @returns the links, in the order of the source
 */
export function symmetrize(forward: Int32Array, backward: Int32Array, symmetry: Symmetry): WordLink[] {
  const fromTarget = Array.from(forward, (source, target): WordLink => [source, target]);
  const fromSource = Array.from(backward, (target, source): WordLink => [source, target]);
  const either = [...fromTarget, ...fromSource].filter(([s, t]) => s !== -1 && t !== -1);
  const isBoth = ([s, t]: WordLink): boolean => forward[t] === s && backward[s] === t;
  const grid = new Grid(backward.length, forward.length);
  for (const link of either) if (symmetry === 'union' || isBoth(link)) grid.set(link);
  if (symmetry === 'grow-diag-final-and') {
    grow(grid, new Set(either.map(([s, t]) => grid.placeOf(s, t))));
    for (const [s, t] of either) if (!grid.hasSource(s) && !grid.hasTarget(t)) grid.set([s, t]);
  }
  return grid.links();
}

/** Sets links of `either` beside those that are there, until there is none that links a word which has none. */
function grow(grid: Grid, either: ReadonlySet<number>): void {
  for (let grown = true; grown; ) {
    grown = false;
    for (const [source, target] of grid.links()) {
      for (const [down, right] of NEIGHBOURS) {
        const [s, t] = [source + down, target + right];
        if (!grid.holds(s, t) || grid.has(s, t) || !either.has(grid.placeOf(s, t))) continue;
        if (grid.hasSource(s) && grid.hasTarget(t)) continue;
        grid.set([s, t]);
        grown = true;
      }
    }
  }
}

/** Links of a pair of sentences. */
class Grid {
  private readonly cells: Uint8Array;
  private readonly sources: Uint8Array;
  private readonly targets: Uint8Array;

  constructor(source: number, target: number) {
    this.cells = new Uint8Array(source * target);
    this.sources = new Uint8Array(source);
    this.targets = new Uint8Array(target);
  }

  placeOf(source: number, target: number): number {
    return source * this.targets.length + target;
  }

  holds(source: number, target: number): boolean {
    return source >= 0 && target >= 0 && source < this.sources.length && target < this.targets.length;
  }

  has(source: number, target: number): boolean {
    return this.cells[this.placeOf(source, target)] === 1;
  }

  hasSource(source: number): boolean {
    return this.sources[source] === 1;
  }

  hasTarget(target: number): boolean {
    return this.targets[target] === 1;
  }

  set([source, target]: WordLink): void {
    this.cells[this.placeOf(source, target)] = 1;
    this.sources[source] = 1;
    this.targets[target] = 1;
  }

  links(): WordLink[] {
    const width = this.targets.length;
    return Array.from(this.cells).flatMap((cell, place): WordLink[] =>
      cell === 1 ? [[Math.floor(place / width), place % width]] : [],
    );
  }
}
