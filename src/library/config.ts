import { log } from '../common/log.js';
import { type LoadedConfig, loadConfig } from '../config/load.js';
import type { PartialConfig } from '../config/schema.js';

/**
 * A config: the name of a YAML file, or an object with the same keys, or several of them, of which later ones override
 * earlier ones.
 */
export type ConfigSource = string | PartialConfig | readonly (string | PartialConfig)[];

/** Reads a config. @throws UserError with every complaint about it */
export function resolveConfig(source: ConfigSource): LoadedConfig {
  const files = Array.isArray(source) ? source : [source as string | PartialConfig];
  const loaded = loadConfig({ files });
  for (const warning of loaded.warnings) log.warn(warning);
  return loaded;
}
