import process from 'node:process';
import type { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { formatConfig } from '../config/format.js';
import { type ConfigKey, configJsonSchema, configKeys, configSections } from '../config/keys.js';
import { loadConfig } from '../config/load.js';
import { joinPath, valueAt } from '../config/paths.js';
import { presets } from '../config/presets.js';
import { pathsNamed, unknownKey } from '../config/validate.js';
import { flagName } from './config-flags.js';
import { addConfigOptions } from './config-options.js';

/** Adds the commands about configs. */
export function addConfig(program: Command): void {
  const group = program.command('config').description('What a config may hold, and what one comes to.');
  group.command('schema').description('The JSON Schema of a config file, for editors.').action(printSchema);
  group
    .command('explain')
    .argument('[key]', 'A key such as train.lr or lr, or a section.')
    .description('Type, default, meaning and presets of a key, or of all keys.')
    .action((key?: string) => printExplanation(key));
  const print = group
    .command('print')
    .argument('[config...]', 'YAML files; later ones override earlier ones.')
    .description('The resolved config: defaults < preset < files < --set.');
  const overrides = addConfigOptions(print, ['preset', 'seed', 'backend', 'gpu', 'threads']);
  print.action((files: string[]) => {
    const { written, warnings } = loadConfig({ files, sets: overrides });
    for (const warning of warnings) log.warn(warning);
    process.stdout.write(formatConfig(written));
  });
}

/** `config schema`: the JSON Schema of a config file. */
function printSchema(): void {
  process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
}

/**
 * `config explain`: what a key or the keys of a section mean.
 *
 * @param name a dotted path, or the last name of one; undefined is the whole config
 * @throws UserError for one that does not exist
 */
function printExplanation(name = ''): void {
  const paths = resolve(name);
  if (paths.length === 0) throw new UserError(unknownKey(name, 'config explain'));
  process.stdout.write(paths.map(explain).join('\n'));
}

function resolve(name: string): string[] {
  return configKeys.has(name) || configSections.has(name) ? [name] : pathsNamed(name);
}

function explain(path: string): string {
  const key = configKeys.get(path);
  return key === undefined ? explainSection(path) : explainKey(key);
}

function explainKey({ path, text, expected, fallback }: ConfigKey): string {
  const inPresets = Object.entries(presets)
    .map(([name, preset]): [string, unknown] => [name, valueAt(preset, path)])
    .filter(([, value]) => value !== undefined);
  const rows = [
    ['expected', expected],
    ['default', JSON.stringify(fallback)],
    ['flag', `--${flagName(path)}`],
    ...inPresets.map(([name, value], i) => [i === 0 ? 'presets' : '', `${name}: ${JSON.stringify(value)}`]),
  ];
  return `${path}\n  ${text}\n${rows.map(([label, value]) => `  ${label.padEnd(9)} ${value}\n`).join('')}`;
}

function explainSection(path: string): string {
  const { text, names } = configSections.get(path)!;
  const head = path === '' ? '' : `${path}\n  ${text}\n\n`;
  return `${head}${names.map((name) => listed(joinPath(path, name))).join('')}`;
}

/** A line for a key; the lines of what is in it for a section. */
function listed(path: string): string {
  const section = configSections.get(path);
  if (section !== undefined) return section.names.map((name) => listed(joinPath(path, name))).join('');
  const { text, fallback } = configKeys.get(path)!;
  return `${path} = ${JSON.stringify(fallback)}\n    ${text}\n`;
}
