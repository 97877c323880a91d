import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What ran of each compiled file, by its path in the tree: where stretches begin and end, in turn. */
export type Coverage = Record<string, number[]>;

interface Stretch {
  startOffset: number;
  endOffset: number;
  count: number;
}

interface ProcessCoverage {
  result: { url: string; functions: { ranges: Stretch[] }[] }[];
}

/** What ran of dist/src in any of the processes that have written V8's coverage into a folder. */
export function readCoverage(folder: string, tree: string): Coverage {
  const ran = new Map<string, Uint8Array>();
  for (const file of fs.readdirSync(folder)) {
    for (const { url, functions } of parse(path.join(folder, file))?.result ?? []) {
      if (!url.startsWith('file:')) continue;
      const name = path.relative(tree, fileURLToPath(url)).split(path.sep).join('/');
      if (!name.startsWith('dist/src/')) continue;
      const ranges = functions.flatMap((each) => each.ranges);
      const length = Math.max(0, ...ranges.map(({ endOffset }) => endOffset));
      const painted = paint(ranges, length);
      const before = ran.get(name);
      if (before === undefined) ran.set(name, painted);
      else unite(before, painted);
    }
  }
  return Object.fromEntries([...ran].map(([name, painted]) => [name, edges(painted)]));
}

/** Whether what stands at an offset of a file ran. */
export function covers(coverage: Coverage, file: string, offset: number): boolean {
  const stretches = coverage[file] ?? [];
  for (let i = 0; i < stretches.length; i += 2) {
    if (offset >= stretches[i] && offset < stretches[i + 1]) return true;
  }
  return false;
}

/** A process that was killed leaves half a file. */
function parse(file: string): ProcessCoverage | null {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Inner stretches say more than those around them. */
function paint(ranges: Stretch[], length: number): Uint8Array {
  const painted = new Uint8Array(length);
  const inward = ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of inward)
    painted.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return painted;
}

function unite(painted: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < painted.length; i++) painted[i] ||= other[i];
}

function edges(painted: Uint8Array): number[] {
  const found: number[] = [];
  for (let i = 0; i <= painted.length; i++) {
    if ((painted[i] ?? 0) !== (painted[i - 1] ?? 0)) found.push(i);
  }
  return found;
}
