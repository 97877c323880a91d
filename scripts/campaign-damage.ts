/**
 * Damages every file of a run and its dataset, a bit or a cut at a time, and asks whether `check` finds it.
 *
 *   node --max-old-space-size=512 dist/scripts/campaign-damage.js RUN DATASET [COUNT] [SEED]
 *
 * RUN and DATASET are copied first. A damage is found, or it is harmless: then what is parsed from the file is equal to
 * what was parsed before. Anything else, a crash included, ends the campaign with exit code 1. Each damage is tried
 * twice: with checksums, and without, as in folders of earlier versions, where it only must not crash the loaders.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { canonicalHash } from '../src/common/canonical-hash.js';
import { readChecksums } from '../src/common/checksums.js';
import { UserError } from '../src/common/errors.js';
import { packageRoot } from '../src/common/files.js';
import { Purpose, RandomStream } from '../src/common/rng.js';
import { loadConfig, loadRunConfig } from '../src/config/load.js';
import { Dictionary } from '../src/data/dictionary.js';
import { readManifest } from '../src/data/manifest.js';
import { readOmega, readProfile } from '../src/model/profile-file.js';
import { check } from '../src/workflows/check/check.js';

export interface Campaign {
  run: string;
  dataset: string;
  count: number;
  seed: number;
  /** Of how many damages the built program is run on, in a child with little memory. */
  children: number;
}

export interface CampaignReport {
  /** By the name of the file. */
  counts: Record<string, { found: number; harmless: number; missed: number }>;
  missed: string[];
  /** Milliseconds of the slowest look. */
  slowest: number;
  /** Most memory that the process has had, in MiB. */
  memory: number;
}

interface Damage {
  file: string;
  what: string;
  bytes: Buffer;
}

const MINUTE = 60_000;

/** Runs a campaign on copies of both folders. */
export function campaign({ run, dataset, count, seed, children }: Campaign): CampaignReport {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'admin-nmt-damage-'));
  try {
    const folders = [run, dataset].map((folder, i) => {
      const copy = path.join(scratch, ['run', 'data'][i]);
      fs.cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
      return copy;
    });
    return attack(folders, count, seed, children);
  } finally {
    fs.rmSync(scratch, { recursive: true });
  }
}

function attack(folders: readonly string[], count: number, seed: number, children: number): CampaignReport {
  const random = new RandomStream({ seed, step: 0, purpose: Purpose.init, site: 0 });
  const below = (limit: number): number => Math.floor(random.nextUniform() * limit);
  const files = folders.flatMap(filesIn);
  const report: CampaignReport = { counts: {}, missed: [], slowest: 0, memory: 0 };
  for (let i = 0; i < count; i++) {
    const file = files[i % files.length];
    const whole = fs.readFileSync(file);
    if (whole.length === 0) continue;
    let damage = damageTo(file, whole, below);
    while (damage.bytes.equals(whole)) damage = damageTo(file, whole, below); // zeros where there were zeros
    const before = parsed(file);
    fs.writeFileSync(file, damage.bytes);
    const folder = folders.find((candidate) => file.startsWith(candidate + path.sep))!;
    const counts = report.counts[path.basename(file)] ?? { found: 0, harmless: 0, missed: 0 };
    report.counts[path.basename(file)] = counts;
    const started = performance.now();
    const verdict = judge(folder, damage, before);
    report.slowest = Math.max(report.slowest, performance.now() - started);
    counts[verdict]++;
    if (verdict === 'missed') report.missed.push(`${file}: ${damage.what}`);
    withoutChecksums(folder, () => check(folder));
    if (i % Math.ceil(count / Math.max(children, 1)) === 0 && children > 0)
      checkInChild(folder, damage, verdict);
    fs.writeFileSync(file, whole);
  }
  report.memory = process.resourceUsage().maxRSS / 1024;
  return report;
}

function filesIn(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** A flipped bit, half of them near the start, where headers are; a cut; a block of zeros. */
function damageTo(file: string, whole: Buffer, below: (limit: number) => number): Damage {
  const kind = below(4);
  if (kind === 0) {
    const length = below(whole.length);
    return { file, what: `cut to ${length} of ${whole.length} bytes`, bytes: whole.subarray(0, length) };
  }
  const bytes = Buffer.from(whole);
  const place = below(kind === 1 ? Math.min(whole.length, 64) : whole.length);
  if (kind === 2) {
    bytes.fill(0, place, Math.min(place + 512, bytes.length));
    return { file, what: `512 zeros at ${place}`, bytes };
  }
  const bit = below(8);
  bytes[place] ^= 1 << bit;
  return { file, what: `bit ${bit} of byte ${place} flipped`, bytes };
}

/** Throws for a crash: `check` is to throw UserErrors alone, and only for folders that are none of ours. */
function judge(folder: string, { file, bytes }: Damage, before: unknown): 'found' | 'harmless' | 'missed' {
  const { findings } = check(folder);
  if (findings.some(({ verdict, what }) => verdict === 'damaged' && what === file)) return 'found';
  if (before === undefined) return 'missed';
  const after = parsed(file) as Record<string, unknown> | undefined;
  if (after === undefined) return 'missed';
  const kept = Object.fromEntries(Object.keys(before as object).map((key) => [key, after[key]]));
  return bytes.length > 0 && canonicalHash(kept) === canonicalHash(before) ? 'harmless' : 'missed';
}

/** What a reader gets from a file; undefined for files whose every byte counts. */
function parsed(file: string): unknown {
  const name = path.basename(file);
  const folder = path.dirname(file);
  try {
    if (name === 'config.yaml') return loadConfig({ files: [file] }).written;
    if (/^dict\./.test(name)) return { text: Dictionary.load(file).serialize() };
    if (name === 'admin-profile.json') return readProfile(file);
    if (name === 'profile.ratio.init') return readOmega(file, loadRunConfig(folder).config.model);
    if (name === 'checksums.json') return readChecksums(folder);
    if (name === 'manifest.json') return readManifest(folder);
    if (name === 'metrics.jsonl')
      return {
        lines: fs
          .readFileSync(file, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      };
  } catch {
    // what cannot be parsed is equal to nothing
  }
  return undefined;
}

/** Runs something while a folder looks as earlier versions made it. */
function withoutChecksums(folder: string, work: () => unknown): void {
  const sums = filesIn(folder).filter((file) => /^(checksums|manifest)\.json$/.test(path.basename(file)));
  for (const file of sums) fs.renameSync(file, `${file}.away`);
  try {
    work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  } finally {
    for (const file of sums) fs.renameSync(`${file}.away`, file);
  }
}

/** The program as a person runs it: exit code 2 for what was found, 0 for what is harmless. */
function checkInChild(
  folder: string,
  { file, what }: Damage,
  verdict: 'found' | 'harmless' | 'missed',
): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--max-old-space-size=512', path.join(packageRoot(), 'bin', 'admin-nmt.js'), 'check', folder],
    { encoding: 'utf8', timeout: MINUTE },
  );
  const expected = verdict === 'found' ? 2 : 0;
  if (status !== expected)
    throw new Error(`${file}, ${what}: exit ${status}, expected ${expected}\n${stderr}`);
}

if (
  process.argv[1] !== undefined &&
  import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href
) {
  const [run, dataset, count = '1000', seed = '1'] = process.argv.slice(2);
  const report = campaign({ run, dataset, count: Number(count), seed: Number(seed), children: 20 });
  console.table(report.counts);
  console.log(`slowest look ${report.slowest.toFixed(0)} ms, at most ${report.memory.toFixed(0)} MiB`);
  for (const line of report.missed) console.error(`missed: ${line}`);
  if (report.missed.length > 0) process.exitCode = 1;
}
