import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';

/** As many links as Linux follows. */
const MOST_LINKS = 40;

/**
 * Where a path leads: its last part is followed from link to link, to what need not be there. A name of an open
 * descriptor is where it ends: what that is a link to may have no name any more, or never had one.
 *
 * @returns the path itself where it is no link
 */
export function followLinks(target: string): string {
  let place = target;
  for (let links = 0; links <= MOST_LINKS; links++) {
    if (descriptorOf(place) !== undefined) return place;
    if (fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return place;
    place = path.resolve(fs.realpathSync(path.dirname(place)), fs.readlinkSync(place));
  }
  fs.statSync(target); // says that they lead in a circle
  return place;
}

/** The open descriptor of this process that a path names, as `/dev/fd/63` does, which a shell makes of `>(…)`. */
export function descriptorOf(place: string): number | undefined {
  const named = /^\/(?:dev|proc\/(?:self|thread-self|(\d+)))\/fd\/(\d+)$/.exec(path.resolve(place));
  if (named === null || Number(named[1] ?? process.pid) !== process.pid) return undefined;
  return Number(named[2]);
}
