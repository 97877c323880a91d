// Which test files there are, and which of them share a process.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './install.mjs';

const folder = path.join(root, 'dist', 'test');

/** The compiled test files, by their path in dist/test: those whose path holds one of the parts; all without any. */
export function testFiles(parts = []) {
  return readdirSync(folder, { recursive: true })
    .map((file) => file.split(path.sep).join('/'))
    .filter(
      (file) =>
        file.endsWith('.test.js') && (parts.length === 0 || parts.some((part) => file.includes(part))),
    )
    .sort();
}

/** Where a test file lies. */
export const placeOf = (file) => path.join(folder, file);

/**
 * What makes a test file one for a process of its own: it would change, or measure, what the files after it share with it.
 * All others of a room are imported one after the other by one process, and run their tests in turn.
 */
const ALONE = {
  'a hook before all tests of the process, or each': /^(?:before|beforeEach|afterEach)\(/m,
  'waits while it is imported': /^(?:(?:const|let) .*= )?await\b/m,
  'the environment, folder, streams or end of the process':
    /\bprocess\.(?:chdir\(|exitCode\b|on\(|env\b(?:\.\w+|\[[^\]]+\]) = )|\bdelete process\.env|defineProperty\(process/,
  'what is written to the log': /\blog\.set[A-Z]/,
  'a clock or function that is another for a while': /\bmock\b/,
  'another device in place of the backend': /\bregisterDevice\(/,
  'the memory of the process': /\b(?:maxRSS|resourceUsage|memoryUsage)\b/,
};

/** Why a test file of this text has a process of its own; undefined where it may share one. */
export const aloneBecause = (text) => Object.keys(ALONE).find((reason) => ALONE[reason].test(text));

/** Most files of a process: several are left for the last processors to take. */
const MOST = 12;

/** Rooms whose tests start programs and train; they come first, lest one of them be left for the end. */
const LONGEST = ['scripts', 'pipeline', 'backend', 'library', 'cli', 'model', 'train'];

/** The files of each process, those that take longest first. */
export function processesOf(files) {
  const roomOf = (file) => path.posix.dirname(file).split('/')[0];
  const rank = ([file]) => (LONGEST.includes(roomOf(file)) ? LONGEST.indexOf(roomOf(file)) : LONGEST.length);
  const alone = [];
  const shared = new Map();
  for (const file of files) {
    const room = roomOf(file);
    if (aloneBecause(readFileSync(placeOf(file), 'utf8')) !== undefined) alone.push([file]);
    else shared.set(room, [...(shared.get(room) ?? []), file]);
  }
  const parts = [...shared.values()].flatMap((list) => {
    const each = Math.ceil(list.length / Math.ceil(list.length / MOST));
    return Array.from({ length: Math.ceil(list.length / each) }, (_, i) =>
      list.slice(i * each, (i + 1) * each),
    );
  });
  return [...alone, ...parts].sort((a, b) => rank(a) - rank(b));
}
