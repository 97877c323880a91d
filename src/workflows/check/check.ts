import * as fs from 'node:fs';
import { UserError } from '../../common/errors.js';
import type { Finding } from '../../common/findings.js';
import { kindOfFolder, runConfigFile, runOfCheckpoint } from '../../config/run-folder.js';
import { checkDataset } from '../../data/check-dataset.js';
import { hasManifest } from '../../data/manifest.js';
import { checkOneCheckpoint, checkRun, checkTokenizer } from './check-run.js';

/** What a look at a folder has found. */
export interface CheckReport {
  kind: 'run directory' | 'checkpoint' | 'dataset';
  findings: Finding[];
  /** What training would go on from; null where the folder is no run directory. */
  rescue: string | null;
}

/** Makes sure that a look has found nothing damaged. @throws UserError where it has */
export function refuseDamage(folder: string, { kind, findings }: CheckReport): void {
  const damaged = findings.filter(({ verdict }) => verdict === 'damaged');
  if (damaged.length === 0) return;
  throw new UserError({
    problem: `${damaged.length} of ${findings.length} things are damaged`,
    where: folder,
    hint: HINTS[kind],
  });
}

const HINTS: Readonly<Record<CheckReport['kind'], string>> = {
  'run directory':
    'Bring them back from a copy. config.yaml, dictionaries and tokenizers are written again by `admin-nmt train`, profiles by `admin-nmt profile`.',
  checkpoint: 'Bring it back from a copy, or use another checkpoint of the run.',
  dataset: 'Make it again with `admin-nmt preprocess --overwrite`.',
};

/** `admin-nmt check`: looks at everything in a folder. @throws UserError where it is none of ours */
export function check(folder: string): CheckReport {
  const kind = kindOf(folder);
  if (kind === 'dataset') return { kind, findings: checkDataset(folder, checkTokenizer), rescue: null };
  if (kind === 'checkpoint') return { kind, findings: checkOneCheckpoint(folder), rescue: null };
  return { kind, ...checkRun(folder) };
}

/** What a folder is, by what is in it: any one of the files may be gone. */
function kindOf(folder: string): CheckReport['kind'] {
  const found = fs.statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) throw strange(folder, 'no such folder');
  if (!found.isDirectory()) throw strange(folder, 'a file');
  const kind = kindOfFolder(folder);
  if (kind !== undefined) return kind;
  if (hasManifest(folder) || fs.readdirSync(folder).some((name) => /\.(idx|bin)$/.test(name)))
    return 'dataset';
  // All of its files may be gone.
  if (fs.existsSync(runConfigFile(runOfCheckpoint(folder)))) return 'checkpoint';
  throw strange(folder, 'another folder');
}

function strange(where: string, found: string): UserError {
  return new UserError({
    problem: `expected a run directory, a checkpoint or a dataset, found ${found}`,
    where,
    hint: 'Give a folder that `admin-nmt train` or `preprocess` wrote (train.save-dir, data.destdir).',
  });
}

/** A line for each thing, and a summary. */
export function formatReport({ findings, rescue }: CheckReport): string {
  const lines = findings.map(({ what, verdict, detail }) => `${verdict.padEnd(12)}  ${what}: ${detail}`);
  const count = (verdict: Finding['verdict']): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const summary = `${count('ok')} ok, ${count('damaged')} damaged, ${count('not verified')} not verified`;
  return `${[...lines, summary, ...(rescue === null ? [] : [rescue])].join('\n')}\n`;
}
