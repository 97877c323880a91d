import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** SentencePiece's programs, where they are installed: the oracle of the tests. */

const VERSION = '0.1.97';

/** Why there is no oracle; undefined where there is one. */
export function spmMissing(): string | undefined {
  try {
    const said = execFileSync('spm_train', ['--version'], { encoding: 'utf8' });
    return said.includes(VERSION) ? undefined : `spm_train is ${said.trim()}, not ${VERSION}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return `spm_train ${VERSION} cannot be run (${code ?? 'it failed'})`;
  }
}

/**
 * Runs spm_train in a folder.
 *
 * @param texts by the name of their file
 * @returns the bytes of the model
 * @throws Error with what it said where it fails
 */
export function spmTrain(
  folder: string,
  texts: Record<string, readonly string[]>,
  prefix: string,
  ...options: string[]
): Buffer {
  for (const [name, lines] of Object.entries(texts)) {
    fs.writeFileSync(path.join(folder, name), lines.map((line) => `${line}\n`).join(''));
  }
  const input = `--input=${Object.keys(texts).join(',')}`;
  execFileSync('spm_train', ['--minloglevel=1', input, `--model_prefix=${prefix}`, ...options], {
    cwd: folder,
    stdio: 'pipe',
  });
  return fs.readFileSync(path.join(folder, `${prefix}.model`));
}

/** What spm_encode makes of lines, a line for each. */
export function spmEncode(
  model: string,
  lines: readonly string[],
  format: 'id' | 'piece',
  ...options: string[]
): string[] {
  return filter('spm_encode', [`--model=${model}`, `--output_format=${format}`, ...options], lines);
}

/** How often lines have each piece that they have, as spm_encode counts them: a piece and its count a line. */
export function spmVocabulary(model: string, lines: readonly string[]): string[] {
  return filter('spm_encode', [`--model=${model}`, '--generate_vocabulary'], lines);
}

/** What spm_decode makes of lines of ids. */
export function spmDecode(model: string, lines: readonly string[]): string[] {
  return filter('spm_decode', [`--model=${model}`, '--input_format=id'], lines);
}

function filter(program: string, options: readonly string[], lines: readonly string[]): string[] {
  const input = lines.map((line) => `${line}\n`).join('');
  const output = execFileSync(program, options, {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  return output.split('\n').slice(0, -1);
}
