import { loadConfig } from '../../config/load.js';
import type { Override } from '../../config/override.js';
import type { ModelConfig, WrittenConfig } from '../../config/schema.js';

/**
 * The config of a run that is made from a checkpoint of another program, which bounds all sizes.
 *
 * @param destdir where the dictionaries are
 * @throws UserError where the keys do not go together
 */
export function configOf(
  { encoder, decoder, ...keys }: Partial<ModelConfig>,
  { sourceLang, targetLang }: { sourceLang: string; targetLang: string },
  destdir: string,
  saveDir: string,
): WrittenConfig {
  const settings = {
    ...Object.fromEntries(Object.entries(keys).map(([key, value]) => [`model.${kebab(key)}`, value])),
    'model.encoder.layers': encoder?.layers,
    'model.decoder.layers': decoder?.layers,
    'data.source-lang': sourceLang,
    'data.target-lang': targetLang,
    'data.destdir': destdir,
    'data.prepared': true,
    'train.save-dir': saveDir,
  };
  const sets = Object.entries(settings).map(([key, value]): Override => {
    return { path: key, value: String(value), where: 'args of the checkpoint' };
  });
  return loadConfig({ sets }).written;
}

const kebab = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
