import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';

/** Bytes of a file. */
export interface Place {
  readonly start: number;
  readonly bytes: number;
}

/** Bytes between two places that are read rather than a second time asked for: a page is read whole anyway. */
const GAP = 1 << 12;
/** Most bytes that are read at once. */
const RUN = 1 << 20;

/**
 * Reads places of a file on the threads of the system, all of them at a time, neighbours in one go.
 *
 * @returns the bytes of each, in the order of the places; fewer than asked for where the file ends before
 */
export async function readPlaces(fd: number, places: readonly Place[]): Promise<Uint8Array<ArrayBuffer>[]> {
  const found: Uint8Array<ArrayBuffer>[] = new Array(places.length);
  await Promise.all(
    runsOf(places).map(async ({ start, end, members }) => {
      const bytes = await read(fd, start, end - start);
      for (const i of members) {
        const offset = places[i].start - start;
        found[i] = bytes.subarray(offset, offset + places[i].bytes);
      }
    }),
  );
  return found;
}

interface Run {
  readonly start: number;
  end: number;
  /** Numbers of the places in it. */
  readonly members: number[];
}

function runsOf(places: readonly Place[]): Run[] {
  const runs: Run[] = [];
  const order = Array.from(places.keys()).sort((a, b) => places[a].start - places[b].start);
  for (const i of order) {
    const { start, bytes } = places[i];
    const run = runs.at(-1);
    if (run === undefined || start > run.end + GAP || start + bytes > run.start + RUN) {
      runs.push({ start, end: start + bytes, members: [i] });
    } else {
      run.end = Math.max(run.end, start + bytes);
      run.members.push(i);
    }
  }
  return runs;
}

async function read(fd: number, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = await readOnce(fd, bytes.subarray(done), start + done);
    if (count === 0) break;
    done += count;
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, done);
}

function readOnce(fd: number, into: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, into, 0, into.length, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}
