/** How the runs of a page are told apart: by numbers, and lines by colours and dashes. */

/** Dashes of the lines of the runs: 5 of them to 8 colours, so that the pairs repeat late. */
export const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [10, 3, 2, 3], [4, 2, 1, 2]];

/** The dash of a run. */
export function dashOf(run: number): readonly number[] {
  return DASHES[run % DASHES.length];
}

/** How a run is named everywhere: its number, in its colour, and its name. */
export function runKey(run: number): string {
  return `<span class="key run-${run % 8}">${run + 1}</span>`;
}
