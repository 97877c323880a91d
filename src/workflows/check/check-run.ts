import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHECKSUMS_FILE, type Checksums, readChecksums } from '../../common/checksums.js';
import { DamageError, UserError } from '../../common/errors.js';
import { readFileBounded, sumFile } from '../../common/file-input.js';
import { checkSum } from '../../common/file-sum.js';
import { readJson } from '../../common/files.js';
import { examine, type Finding, unverified } from '../../common/findings.js';
import { checkGrown } from '../../common/growing-sum.js';
import { parseTemporaryName } from '../../common/leftovers.js';
import { isSealed } from '../../common/seal.js';
import { type LoadedConfig, loadRunConfigFile } from '../../config/load.js';
import { runConfigFile, runOfCheckpoint } from '../../config/run-folder.js';
import { checkDictionary } from '../../data/check-dataset.js';
import { Dictionary } from '../../data/dictionary.js';
import { readShortlist, SHORTLIST_FILE } from '../../decode/shortlist-file.js';
import {
  formatOfficialProfile,
  OFFICIAL_PROFILE_FILE,
  PROFILE_FILE,
  readOmega,
  readProfile,
} from '../../model/profile-file.js';
import { Tokenizer } from '../../tokenizer/index.js';
import {
  type CheckpointFrame,
  checkCheckpoint,
  checkModel,
  isModelAlone,
} from '../../train/check-checkpoint.js';
import {
  BEST_CHECKPOINT,
  LAST_CHECKPOINT,
  numberedCheckpoints,
  targetOf,
  updatesOf,
} from '../../train/checkpoint-folders.js';
import { checkMetrics, METRICS_FILE } from '../../train/metrics-log.js';
import { resumable } from '../../train/rescue.js';
import { type ChangedSetting, changedSettings, runSettings } from '../../train/run-settings.js';
import type { CheckpointOrigin, StateFile } from '../../train/state.js';

/** What a look at a run directory has found. */
export interface RunReport {
  findings: Finding[];
  /** What `train` would go on from, in words. */
  rescue: string;
}

/** Looks at all of a run directory. */
export function checkRun(runDirectory: string): RunReport {
  const run = openRun(runDirectory);
  const numbered = numberedCheckpoints(runDirectory).map(({ name }) => name);
  const whole = new Set<string>();
  const checkpoints = numbered.flatMap((name) => {
    const findings = checkCheckpointOf(run, path.join(runDirectory, name));
    if (!findings.some(({ verdict }) => verdict === 'damaged')) whole.add(name);
    return findings;
  });
  const findings = [
    ...run.findings,
    ...profileFindings(runDirectory, run.loaded),
    ...shortlistFindings(runDirectory, run),
    ...metricsFindings(
      runDirectory,
      numbered.filter((name) => whole.has(name)),
    ),
    ...checkpoints,
    ...finishedModels(runDirectory).flatMap((folder) => checkModel(folder, run.frame)),
    ...linkFindings(runDirectory, numbered),
    ...leftovers(runDirectory),
  ];
  return { findings, rescue: describeRescue(runDirectory, numbered, whole) };
}

/** Looks at one checkpoint; config and dictionaries are those of its run. */
export function checkOneCheckpoint(folder: string): Finding[] {
  const run = openRun(runOfCheckpoint(folder));
  return isModelAlone(folder) ? checkModel(folder, run.frame) : checkCheckpointOf(run, folder);
}

/** The folders of a run with weights that no training goes on from: averages, and models that were folded or imported. */
function finishedModels(runDirectory: string): string[] {
  return fs
    .readdirSync(runDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && updatesOf(entry.name) === undefined)
    .map(({ name }) => path.join(runDirectory, name))
    .filter(isModelAlone);
}

/** What the checkpoints of a run are compared with. */
interface Run {
  findings: Finding[];
  loaded?: LoadedConfig;
  frame: CheckpointFrame;
  /** By language. */
  dictionaries: Map<string, Dictionary>;
}

function openRun(runDirectory: string): Run {
  const at = (name: string): string => path.join(runDirectory, name);
  let sums: Checksums | undefined;
  let loaded: LoadedConfig | undefined;
  const dictionaries = new Map<string, Dictionary>();
  const look = (name: string, see: (file: string) => string): Finding =>
    examine(at(name), () => {
      const file = at(name);
      if (!fs.existsSync(file)) throw new DamageError({ problem: 'no such file', where: file });
      const detail = see(file);
      const expected = sums?.files[name];
      if (expected === undefined) return unverified(file, `${detail}; without a checksum`);
      checkSum(file, sumFile(file), expected);
      return detail;
    });
  const findings = [
    examine(at(CHECKSUMS_FILE), () => {
      sums = readChecksums(runDirectory);
      if (sums === undefined)
        return unverified(at(CHECKSUMS_FILE), 'there is none, as in runs of earlier versions');
      return 'sums of config, dictionaries and tokenizers';
    }),
    look(path.basename(runConfigFile(runDirectory)), (file) => {
      loaded = loadRunConfigFile(file);
      return 'parses and is valid';
    }),
  ];
  const names = fs.existsSync(runDirectory) ? fs.readdirSync(runDirectory).sort() : [];
  const expected = new Set([...names, ...Object.keys(sums?.files ?? {})]);
  for (const name of [...expected].filter((entry) => /^dict\..+\.txt$/.test(entry))) {
    const finding = look(name, (file) => checkDictionary(file));
    findings.push(finding);
    if (finding.verdict !== 'damaged') dictionaries.set(name.slice(5, -4), Dictionary.load(at(name)));
  }
  for (const name of [...expected].filter((entry) => entry.endsWith('.model'))) {
    findings.push(look(name, checkTokenizer));
  }
  return { findings, loaded, dictionaries, frame: frameOf(loaded, dictionaries) };
}

/** Looks at a .model. @returns what it is, in words. @throws UserError for one that is damaged */
export function checkTokenizer(file: string): string {
  return `${Tokenizer.load(file).pieces.length} pieces`;
}

function frameOf(loaded: LoadedConfig | undefined, dictionaries: Map<string, Dictionary>): CheckpointFrame {
  if (loaded === undefined) return {};
  const { data, model } = loaded.config;
  const [source, target] = [data.sourceLang, data.targetLang].map(
    (language) => dictionaries.get(language)?.size,
  );
  const vocabulary = source === undefined || target === undefined ? undefined : { source, target };
  return { config: model, vocabulary, freeze: loaded.config.train.freeze };
}

function checkCheckpointOf({ frame, loaded, dictionaries }: Run, folder: string): Finding[] {
  const compare = ({ origin }: StateFile): string | undefined => {
    for (const [language, { size, hash }] of Object.entries(origin.vocabulary)) {
      const found = dictionaries.get(language);
      if (found === undefined || found.hash === hash) continue;
      throw new UserError({
        problem: `expected a dict.${language}.txt of ${size} symbols, found another one of ${found.size} in the run`,
      });
    }
    return loaded && describeOtherSettings(origin, loaded);
  };
  return checkCheckpoint(folder, frame, compare).findings;
}

/** What train would go on with only where it is told to, and may have been: a checkpoint of before is whole all the same. */
function describeOtherSettings(
  { settings }: CheckpointOrigin,
  { written }: LoadedConfig,
): string | undefined {
  if (settings === null) return undefined;
  const other = changedSettings(settings, runSettings(written)).filter(({ changeable }) => !changeable);
  const show = ({ key, before, now }: ChangedSetting): string =>
    `${key} ${JSON.stringify(before)}, where config.yaml has ${JSON.stringify(now)}`;
  return other.length === 0 ? undefined : `it was trained with ${other.map(show).join('; ')}`;
}

/** Both files of the profile, where the run has them. One is the text that the other gives. */
function profileFindings(runDirectory: string, loaded: LoadedConfig | undefined): Finding[] {
  const [file, official] = [PROFILE_FILE, OFFICIAL_PROFILE_FILE].map((name) => path.join(runDirectory, name));
  const findings: Finding[] = [];
  let expected: string | undefined;
  if (fs.existsSync(file)) {
    const finding = examine(file, () => {
      const profile = readProfile(file);
      const sealed = isSealed(readJson(file, 'an admin-profile.json'));
      if (loaded !== undefined) readOmega(file, loaded.config.model);
      if (sealed) expected = formatOfficialProfile(profile.sublayers);
      const detail = `ω of ${profile.sublayers.length} sublayers`;
      return sealed ? detail : unverified(file, `${detail}; it has no checksum`);
    });
    findings.push(finding);
  }
  if (!fs.existsSync(official)) return findings;
  const finding = examine(official, () => {
    if (expected === undefined) {
      if (loaded !== undefined) readOmega(official, loaded.config.model);
      return unverified(official, `there is no ${PROFILE_FILE} to compare it with`);
    }
    const found = readFileBounded(official, 'a profile', 2 ** 26).toString('utf8');
    if (found === expected) return `the ω of ${PROFILE_FILE}`;
    throw new DamageError({ problem: `expected the ω of ${PROFILE_FILE}, found others`, where: official });
  });
  return [...findings, finding];
}

/** The shortlist, where the run has one; whether it is whole can be seen beside its dictionaries alone. */
function shortlistFindings(runDirectory: string, { loaded, dictionaries }: Run): Finding[] {
  const file = path.join(runDirectory, SHORTLIST_FILE);
  if (!fs.existsSync(file)) return [];
  const { sourceLang = '', targetLang = '' } = loaded?.config.data ?? {};
  const [source, target] = [sourceLang, targetLang].map((language) => dictionaries.get(language));
  const finding = examine(file, () => {
    if (source === undefined || target === undefined)
      return unverified(file, 'its config or dictionaries are not there to compare it with');
    const { counts, targets } = readShortlist(file, { source, target }).parts;
    return `${targets.length} target pieces for ${counts.length} source pieces`;
  });
  return [finding];
}

/** The lines, and that they begin as the newest whole checkpoint remembers them. */
function metricsFindings(runDirectory: string, whole: readonly string[]): Finding[] {
  const file = path.join(runDirectory, METRICS_FILE);
  const newest = whole.at(-1);
  const expected = newest && readChecksums(path.join(runDirectory, newest))?.beside?.[METRICS_FILE];
  if (!expected && !fs.existsSync(file)) return [];
  const finding = examine(file, () => {
    const { lines, torn } = checkMetrics(file);
    if (!expected) return unverified(file, `${lines} lines; no checkpoint has their checksum`);
    checkGrown(file, expected);
    const rest = fs.statSync(file).size - expected.bytes;
    if (rest === 0) return `${lines} lines`;
    const last = torn ? ', the last cut short, as where training was killed' : '';
    return unverified(
      file,
      `${lines} lines${last}; the last ${rest} bytes are newer than the checksum in ${newest}`,
    );
  });
  return [finding];
}

/** The two links. */
function linkFindings(runDirectory: string, numbered: readonly string[]): Finding[] {
  const isLink = (name: string): boolean =>
    fs.lstatSync(path.join(runDirectory, name), { throwIfNoEntry: false }) !== undefined;
  return [LAST_CHECKPOINT, BEST_CHECKPOINT].flatMap((name) => {
    const where = path.join(runDirectory, name);
    if (!isLink(name) && (name === BEST_CHECKPOINT || numbered.length === 0)) return [];
    return examine(where, () => {
      if (!isLink(name)) throw new DamageError({ problem: 'there is no such link', where });
      const target = targetOf(runDirectory, name);
      if (target === undefined) return unverified(where, 'a folder, where train makes a link');
      if (fs.existsSync(where)) return `→ ${target}`;
      throw new DamageError({ problem: `it points at ${target}, which is not there`, where });
    });
  });
}

/** What interrupted writes have left; train clears it away. */
function leftovers(runDirectory: string): Finding[] {
  return fs
    .readdirSync(runDirectory)
    .filter((name) => name.startsWith('damaged_') || parseTemporaryName(name) !== undefined)
    .map((name) =>
      unverified(path.join(runDirectory, name), 'left over; it is part of no run and may be removed'),
    );
}

function describeRescue(
  runDirectory: string,
  numbered: readonly string[],
  whole: ReadonlySet<string>,
): string {
  if (numbered.length === 0) return 'train would begin: there is no checkpoint';
  const [last, ...before] = resumable(runDirectory);
  if (whole.has(last)) return `train would go on from ${last}, the last one`;
  const taken = before.find((name) => whole.has(name));
  if (taken === undefined)
    return 'train cannot go on: no checkpoint is whole; bring one back from a copy, or --restart';
  const reached = updatesOf(last);
  const lost = reached === undefined ? 'an unknown number of' : reached - updatesOf(taken)!;
  return `train would go on from ${taken}: ${lost} updates are lost`;
}
