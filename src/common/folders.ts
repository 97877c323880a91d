import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { systemError } from './errors.js';
import { followLinks } from './links.js';

/**
 * Makes a folder and those above it, unless they are there; where the name is a link to nowhere, what it names. (Node's
 * own recursive mkdir never returns where a file system answers ENOENT for a folder whose parent exists, as /proc does.)
 *
 * @returns the outermost folder that was made; undefined where there was nothing to make
 */
export function makeFolder(name: string): string | undefined {
  const folder = followLinks(name);
  if (isFolder(folder)) return undefined;
  const parent = path.dirname(folder);
  const above = parent === folder ? undefined : makeFolder(parent);
  try {
    creating(folder, () => fs.mkdirSync(folder));
    syncFolder(parent);
    return above ?? folder;
  } catch (error) {
    if (!isFolder(folder)) throw error; // else another made it
    return above;
  }
}

/**
 * Makes a file or a folder that is not there yet.
 *
 * @throws what the system says; where it misses something and the folder is there, it is one in which nothing can be made, as /proc is
 */
export function creating<T>(place: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const misses = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw misses && isFolder(path.dirname(place)) ? systemError('EROFS') : error;
  }
}

function isFolder(place: string): boolean {
  return fs.statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Removes a folder and those above it, up to one of them, as far as they are empty. */
export function removeEmptyFolders(name: string, outermost: string): void {
  const folder = followLinks(name);
  try {
    fs.rmdirSync(folder);
  } catch {
    return; // there is something in it
  }
  if (folder !== outermost) removeEmptyFolders(path.dirname(folder), outermost);
}

/** What a folder answers that cannot be opened or synced: on Windows, on some network file systems, by permission. */
const CANNOT_SYNC = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF']);

/** Makes the names in a folder outlast a power loss, where the file system can do that. */
export function syncFolder(folder: string): void {
  let fd: number | undefined;
  try {
    fd = fs.openSync(folder, 'r');
    fs.fsyncSync(fd);
  } catch (error) {
    if (!CANNOT_SYNC.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Makes a folder and all that is in it outlast a power loss. */
export function syncTree(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) syncTree(place);
    else if (entry.isFile()) syncFile(place);
  }
  syncFolder(folder);
}

/** Makes the content of a file outlast a power loss. */
export function syncFile(file: string): void {
  const fd = fs.openSync(file, 'r+');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Gives what takes the place of another its mode and its group, and its owner where we are root. */
export function keepRights(place: string, { mode, uid, gid }: fs.Stats): void {
  try {
    const made = fs.statSync(place);
    const owner = process.getuid?.() === 0 ? uid : made.uid;
    if (made.uid !== owner || made.gid !== gid) fs.chownSync(place, owner, gid);
  } catch {
    // It stays ours.
  }
  try {
    fs.chmodSync(place, mode & 0o3777);
  } catch {
    // A file system without modes; where it has some, it was made with no more rights than these.
  }
}
