import { existsSync, statSync } from 'node:fs';
import { type Complaint, formatComplaint, UserError, userErrorOf } from '../common/errors.js';
import { readFileBounded } from '../common/file-input.js';
import { packageVersion } from '../common/files.js';
import { camelizeKeys } from './camel.js';
import { findIdleKeys, findViolations } from './checks.js';
import { expandHome } from './home.js';
import { type Layer, mergeTrees, type Origin, type Tree } from './layer.js';
import { objectSource } from './object-source.js';
import { type Override, overrideSource, parseSet } from './override.js';
import { presets } from './presets.js';
import { findRun, runConfigFile } from './run-folder.js';
import {
  type Config,
  configSchema,
  type PartialConfig,
  PRESET_NAMES,
  type PresetName,
  type WrittenConfig,
} from './schema.js';
import { validateLayer } from './validate.js';
import { readYamlSource, type Source } from './yaml-source.js';

/** Ten thousand values, each with a comment, are less. */
const MAX_CONFIG_BYTES = 2 ** 18;

/** Where a config comes from, the weakest first. */
export interface ConfigSources {
  /** YAML files, or configs that a program gives; later ones override earlier ones. */
  readonly files?: readonly (string | PartialConfig)[];
  /** Settings of the command line in their order: `a.b=c`, or what a flag of one key was given. */
  readonly sets?: readonly (string | Override)[];
  /** Keys that have an effect whatever others are, as those of alignments have for a page of them. */
  readonly used?: readonly string[];
}

export interface LoadedConfig {
  readonly config: Config;
  readonly written: WrittenConfig;
  /** Settings that have no effect, in words. */
  readonly warnings: readonly string[];
}

/**
 * The config of defaults < preset < files in order < settings in order: maps are merged key by key, lists and
 * values are replaced. The preset is the one named last.
 *
 * @throws UserError with every complaint about every source: files that cannot be read, YAML, unknown keys,
 *   wrong values, rules between keys
 */
export function loadConfig({ files = [], sets = [], used = [] }: ConfigSources): LoadedConfig {
  const complaints: Complaint[] = [];
  const attempt = (read: () => Source): Layer[] => {
    try {
      const source = read();
      complaints.push(...source.complaints);
      return [source.layer];
    } catch (error) {
      complaints.push(...userErrorOf(error).complaints);
      return [];
    }
  };
  const sources = [
    ...files.flatMap((file) =>
      attempt(() => (typeof file === 'string' ? readConfigFile(file) : objectSource(file))),
    ),
    ...sets.flatMap((set) => attempt(() => overrideSource(typeof set === 'string' ? parseSet(set) : set))),
  ];
  const validated = sources.map(validateLayer);
  complaints.push(...validated.flatMap((layer) => layer.complaints));
  const { written, origins } = mergeLayers(
    validated.map(({ layer }) => ({ ...layer, tree: expandHome(layer.tree) })),
  );
  const refused = new Set(validated.flatMap((layer) => layer.refused));
  for (const { keys, problem, hint } of findViolations(written, refused)) {
    complaints.push({ problem, where: placeOfAny(keys, origins), hint });
  }
  if (complaints.length > 0) throw new UserError(complaints);
  const warnings = findIdleKeys(written)
    .filter(({ key }) => origins.has(key) && !used.includes(key))
    .map(({ key, reason }) => {
      const problem = `${key} has no effect, since ${reason}`;
      return formatComplaint({ problem, where: origins.get(key)!.value });
    });
  return { config: camelizeKeys(written), written, warnings };
}

/**
 * The config that a run directory was trained with, and settings over it.
 *
 * @param run a run directory, or a checkpoint in one
 * @throws UserError also where the folder is neither
 */
export function loadRunConfig(run: string, over: ConfigSources = {}): LoadedConfig {
  const file = runConfigFile(findRun(run).runDirectory);
  const { warnings, ...loaded } = loadRunConfigFile(file, over);
  // Those of its own settings were given when it was trained.
  return { ...loaded, warnings: warnings.filter((warning) => !warning.startsWith(`${file}:`)) };
}

/** A line of the config.yaml of a run: which version of this program wrote it. */
export const versionLine = (version: string): string => `# admin-nmt ${version}\n`;

/** The config.yaml of a run, and what goes over it. @throws UserError that says so where a later version wrote it */
export function loadRunConfigFile(file: string, { files = [], ...over }: ConfigSources = {}): LoadedConfig {
  try {
    return loadConfig({ ...over, files: [file, ...files] });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const writer = writerOf(file);
    if (writer === undefined || !isLater(writer, packageVersion())) throw error;
    throw new UserError([
      {
        problem: `the run was trained by admin-nmt ${writer}; this is ${packageVersion()}, which does not understand all of its config`,
        where: file,
        hint: 'Use that version, or a newer one.',
      },
      ...error.complaints,
    ]);
  }
}

/** The version of this program that wrote the config.yaml of a run; undefined where it does not say. */
export function writerOf(file: string): string | undefined {
  const text = readFileBounded(file, 'a config', MAX_CONFIG_BYTES).toString();
  return /^# admin-nmt (\d+\.\d+\.\d+\S*)$/m.exec(text)?.[1];
}

function isLater(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) => text.split(/[.-]/).slice(0, 3).map(Number));
  const i = a.findIndex((part, at) => part !== b[at]);
  return i !== -1 && a[i] > b[i];
}

function readConfigFile(file: string): Source {
  if (!existsSync(file) && (PRESET_NAMES as readonly string[]).includes(file)) {
    throw new UserError({
      problem: 'no such file',
      where: file,
      hint: `This is the name of a preset: --preset ${file}`,
    });
  }
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw folderForConfig(file);
  return readYamlSource(readYamlText(file), file);
}

function folderForConfig(folder: string): UserError {
  const config = runConfigFile(folder);
  const hint = existsSync(config)
    ? `The config of this run is ${config}`
    : 'Give a config in YAML; the folder of a dataset stands in it as data.destdir, that of a run as train.save-dir.';
  return new UserError({
    problem: 'this is a directory, a config in YAML was expected',
    where: folder,
    hint,
  });
}

/** The text of a file of YAML. @throws UserError for a file that cannot be read or is no text */
export function readYamlText(file: string): string {
  const bytes = readFileBounded(file, 'a config', MAX_CONFIG_BYTES);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notText(file, 'bytes that are not UTF-8');
  }
  if (text.includes('\0')) throw notText(file, 'a NUL byte');
  return text;
}

function notText(file: string, found: string): UserError {
  return new UserError({
    problem: `expected a config in YAML, found ${found}`,
    where: file,
    hint: 'Check that this is the right file.',
  });
}

/** Lays the layers over the preset that the last of them names, and fills in the defaults. */
function mergeLayers(layers: readonly Layer[]): { written: WrittenConfig; origins: Map<string, Origin> } {
  const name = layers.findLast(({ tree }) => 'preset' in tree)?.tree.preset as PresetName | null | undefined;
  const preset = (name == null ? {} : presets[name]) as Tree;
  const merged = layers.reduce((below, { tree }) => mergeTrees(below, tree), preset);
  return {
    written: configSchema.parse(merged),
    origins: new Map(layers.flatMap(({ origins }) => [...origins])),
  };
}

/** The place of the first of the keys that was set anywhere but in a preset. */
function placeOfAny(keys: readonly string[], origins: ReadonlyMap<string, Origin>): string {
  const set = keys.find((key) => origins.has(key));
  return set === undefined ? keys[0] : origins.get(set)!.value;
}
