import type { Command } from 'commander';
import { configKeys, configSections } from '../config/keys.js';
import type { Setting } from '../config/override.js';
import { parentPath } from '../config/paths.js';
import { addAliases, addKey, addSet } from './config-flags.js';

/**
 * Adds a flag for each of the keys and `--set` for all others, grouped by section in the help.
 *
 * @param paths keys or sections; a section stands for everything in it
 * @returns the settings of the command line in their order, filled when the command line is parsed
 */
export function addConfigOptions(command: Command, paths: readonly string[]): Setting[] {
  const settings: Setting[] = [];
  const within = (path: string) => paths.some((part) => path === part || path.startsWith(`${part}.`));
  const keys = [...configKeys.values()].filter(({ path }) => within(path));
  for (const key of keys.filter(({ path }) => !path.includes('.'))) addKey(command, key, settings);
  addSet(command, settings);
  for (const key of keys.filter(({ path }) => path.includes('.'))) {
    addKey(command, key, settings, headingOf(key.path));
  }
  addAliases(command, within, settings);
  return settings;
}

function headingOf(path: string): string {
  const section = parentPath(path);
  return `${section} — ${configSections.get(section)?.text}`;
}
