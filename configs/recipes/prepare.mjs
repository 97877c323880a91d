#!/usr/bin/env node
/**
 * Downloads the text of a recipe, cleans it and splits it, see docs/recipes.md:
 *
 *     node configs/recipes/prepare.mjs NAME --list
 *     node configs/recipes/prepare.mjs NAME [--output FOLDER] [--archives FOLDER] [--any-archive]
 *
 * Wants `curl` (unless the archives are there) and `tar`. Archives are read as they are and never unpacked.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { fits, forms, normalise } from './clean.mjs';
import { texts } from './sources.mjs';

/** A mistake that the user can mend. */
class Refusal extends Error {}

const USAGE = `usage: prepare.mjs NAME --list
       prepare.mjs NAME [--output FOLDER] [--archives FOLDER] [--any-archive]
NAME is one of ${Object.keys(texts).join(', ')}.
--list         what is downloaded, from where, how large
--output       where the text goes (NAME/text)
--archives     where the archives are or shall be (NAME/archives)
--any-archive  take archives of another size or sum than the published ones`;

try {
  await main();
} catch (error) {
  const ofTheSystem = error.syscall !== undefined || error.code?.startsWith('ERR_PARSE_ARGS');
  if (!(error instanceof Refusal) && !ofTheSystem) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
}

async function main() {
  const { values, positionals } = parseArgs({
    options: {
      list: { type: 'boolean' },
      output: { type: 'string' },
      archives: { type: 'string' },
      'any-archive': { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const [name, ...rest] = positionals;
  const text = Object.hasOwn(texts, name ?? '') ? texts[name] : undefined;
  if (text === undefined || rest.length > 0) {
    throw new Refusal(`expected the name of a text, found '${positionals.join(' ')}'\n${USAGE}`);
  }
  const archives = [...new Set(text.parts.flatMap(({ files }) => files.map(({ archive }) => archive)))];
  if (values.list) return list(archives);
  const folder = values.archives ?? path.join(name, 'archives');
  for (const archive of archives) obtain(archive, folder);
  if (!values['any-archive']) for (const archive of archives) await verify(archive, folder);
  await makeText(text, folder, values.output ?? path.join(name, 'text'));
}

/** A line for each archive: address, bytes, sum. */
function list(archives) {
  for (const { url, bytes = 'size unknown', sum = 'sum unknown' } of archives) {
    console.log(`${url}\t${bytes}\t${sum}`);
  }
}

function fileOf({ url }, folder) {
  return path.join(folder, path.posix.basename(url));
}

function obtain(archive, folder) {
  const file = fileOf(archive, folder);
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true });
  console.error(`Downloading ${archive.url}`);
  const part = `${file}.part`; // goes on where it was cut off
  const { status, error } = spawnSync(
    'curl',
    ['--fail', '--location', '--continue-at', '-', '--output', part, archive.url],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) {
    throw new Refusal(
      `${file}: expected an archive (${archive.bytes ?? 'an unknown number of'} bytes), and could not download it: ${error?.message ?? `curl ended with ${status}`}\n  Fetch ${archive.url} by other means and put it there.`,
    );
  }
  renameSync(part, file);
}

/** @throws Refusal where size or sum are not the published ones */
async function verify(archive, folder) {
  const file = fileOf(archive, folder);
  const { size } = statSync(file);
  const [algorithm, expected] = archive.sum?.split(':') ?? [];
  const refuse = (wanted, found) => {
    throw new Refusal(
      `${file}: expected ${wanted}, found ${found}\n  Remove it to download it again, or take it as it is with --any-archive.`,
    );
  };
  if (archive.bytes !== undefined && archive.bytes !== size) refuse(`${archive.bytes} bytes`, size);
  if (algorithm === undefined) {
    console.error(`${file}: ${size} bytes; nobody has published a sum to compare with`);
    return;
  }
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found !== expected) refuse(`${algorithm} ${expected}`, found);
}

/** Writes `<split>.<language>` for all splits; they get their names when all of them are whole. */
async function makeText({ languages, parts }, archives, output) {
  mkdirSync(output, { recursive: true });
  const writers = new Map();
  const writerOf = (split) => {
    if (!writers.has(split)) writers.set(split, openPair(split, languages, output));
    return writers.get(split);
  };
  try {
    for (const part of parts) {
      const { pairs, read } = await makePart(part, languages, archives, writerOf);
      console.error(`${part.split}: ${pairs} of ${read} pairs`);
    }
    for (const writer of writers.values()) writer.finish();
  } finally {
    for (const writer of writers.values()) writer.discard();
  }
}

async function makePart({ split, form, files, words, hold, ...cleaning }, languages, archives, writerOf) {
  const counts = { read: 0, pairs: 0 };
  const clean = (line) => {
    const normal = cleaning.normalise ? normalise(line) : line;
    return (cleaning.lowercase ? normal.toLowerCase() : normal).replace(/\s+/g, ' ').trim();
  };
  for (const { archive, nameOf } of files) {
    const sides = languages.map((language) => openMember(fileOf(archive, archives), nameOf(language)));
    for await (const pair of zip(sides, forms[form])) {
      counts.read++;
      const cleaned = pair.map(clean);
      if (words !== undefined && !fits(cleaned, words)) continue;
      counts.pairs++;
      const held = hold !== undefined && counts.pairs % hold.every === 0;
      writerOf(held ? hold.split : split).write(cleaned);
    }
  }
  return counts;
}

/** Two files side by side. @throws Refusal where one has more text than the other */
async function* zip(sides, textOf) {
  const [source, target] = sides.map(({ lines }) => texted(lines, textOf));
  try {
    for (let line = 1; ; line++) {
      const [a, b] = [await source.next(), await target.next()];
      if (a.done && b.done) return;
      if (a.done !== b.done) {
        const [longer, shorter] = a.done ? [sides[1], sides[0]] : sides;
        throw new Refusal(
          `${longer.name}: expected as many lines as ${shorter.name} (${line - 1}), found more`,
        );
      }
      yield [a.value, b.value];
    }
  } finally {
    await Promise.all([source.return(), target.return()]);
  }
}

async function* texted(lines, textOf) {
  for await (const line of lines) {
    const text = textOf(line);
    if (text !== undefined) yield text;
  }
}

/** A file within an archive, gunzipped where its name says so. @throws Refusal where it is not there */
function openMember(archive, name) {
  const listed = spawnSync('tar', ['-tf', archive], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const member = listed.stdout?.split('\n').find((entry) => entry.replace(/^\.\//, '') === name);
  if (member === undefined) {
    throw new Refusal(
      `${archive}: expected a tar archive with '${name}', ${listed.error?.message ?? (listed.stderr || 'found none')}`,
    );
  }
  return { name: `${archive}:${name}`, lines: linesOf(archive, member) };
}

/** Lines end at a line feed alone: text of the web has other line separators within its lines. */
async function* linesOf(archive, member) {
  const tar = spawn('tar', ['-xOf', archive, member], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(tar, 'close');
  const stream = member.endsWith('.gz') ? tar.stdout.pipe(createGunzip()) : tar.stdout;
  let rest = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      yield* lines;
    }
    if (rest !== '') yield rest;
    const [status] = await ended;
    if (status !== 0)
      throw new Refusal(`${archive}: expected all of '${member}', and tar ended with ${status}`);
  } catch (error) {
    if (!error.code?.startsWith('Z_')) throw error;
    throw new Refusal(`${archive}: expected gzipped text in '${member}', found ${error.message}`);
  } finally {
    tar.kill();
  }
}

/** Files of both languages under temporary names. */
function openPair(split, languages, output) {
  const sides = languages.map((language) => {
    const file = path.join(output, `${split}.${language}`);
    return { file, part: `${file}.part`, fd: openSync(`${file}.part`, 'w'), waiting: [] };
  });
  const flush = ({ fd, waiting }) => {
    if (waiting.length > 0) appendFileSync(fd, `${waiting.splice(0).join('\n')}\n`);
  };
  return {
    write(pair) {
      for (const [i, side] of sides.entries()) {
        side.waiting.push(pair[i]);
        if (side.waiting.length >= 4096) flush(side);
      }
    },
    finish() {
      for (const side of sides) {
        flush(side);
        renameSync(side.part, side.file);
      }
    },
    discard() {
      for (const { fd, part } of sides) {
        closeSync(fd);
        rmSync(part, { force: true });
      }
    },
  };
}
