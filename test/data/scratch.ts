import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { packageRoot } from '../../src/common/files.js';

/** What the official code made, see record-fairseq-dataset.py. */
export const fixtures = path.join(packageRoot(), 'test/data/fixtures');

/** A new empty folder, removed after the tests of the file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-data-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files given as name → content. @returns the folder */
export function writeFiles(folder: string, files: Record<string, string | Uint8Array>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

/** For assert.throws and assert.rejects: a UserError whose message matches all the patterns. */
export function refusal(...patterns: RegExp[]): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof UserError)) throw error;
    for (const pattern of patterns) {
      if (!pattern.test(error.message)) throw new Error(`expected ${pattern} in: ${error.message}`);
    }
    return true;
  };
}

/** All that a generator gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
