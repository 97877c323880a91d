import { type Command, Option } from 'commander';
import type { ConfigKey } from '../config/keys.js';
import type { Setting } from '../config/override.js';
import { lastName } from '../config/paths.js';

/**
 * Keys of the config as flags. Nothing here loads the schema: that takes longer than many a score does.
 */

/** Flags that are not the last name of their key: fairseq's spelling, or a name that tells two keys apart. */
const FLAG_NAMES: Readonly<Record<string, string>> = {
  'data.root': 'data-root',
  'data.train': 'trainpref',
  'data.valid': 'validpref',
  'data.test': 'testpref',
  'data.tokenizer.model': 'tokenizer-model',
  'model.omega.init': 'omega-init',
  'model.omega.train': 'omega-train',
  'model.omega.profile': 'omega-profile',
  'model.encoder.layers': 'encoder-layers',
  'model.decoder.layers': 'decoder-layers',
};

const SHORT_FLAGS: Readonly<Record<string, string>> = {
  'data.source-lang': 's',
  'data.target-lang': 't',
  'score.smooth-method': 's',
};

/** More spellings of fairseq, not listed by --help; with a value they take none themselves. */
const ALIASES: readonly { flag: string; path: string; value?: string }[] = [
  { flag: 'encoder-embed-dim', path: 'model.embed-dim' },
  { flag: 'encoder-ffn-embed-dim', path: 'model.ffn-embed-dim' },
  { flag: 'encoder-attention-heads', path: 'model.attention-heads' },
  { flag: 'relu-dropout', path: 'model.activation-dropout' },
  { flag: 'share-all-embeddings', path: 'model.share-embeddings', value: 'all' },
  { flag: 'share-decoder-input-output-embed', path: 'model.share-embeddings', value: 'decoder' },
  { flag: 'bf16', path: 'train.precision', value: 'bfloat16' },
  { flag: 'checkpoint-activations', path: 'train.recompute', value: 'layers' },
  { flag: 'replace-unk', path: 'decode.unk', value: 'replace' },
  { flag: 'fp16', path: 'train.precision', value: 'float16' },
  { flag: 'joined-dictionary', path: 'data.tokenizer.joint', value: 'true' },
];

const keyOfOption = new WeakMap<Option, string>();

/** The path of the key that an option sets; undefined for an option that sets none. */
export function keySetBy(option: Option): string | undefined {
  return keyOfOption.get(option);
}

/** The name of the flag that sets a key, without its dashes. */
export function flagName(path: string): string {
  return FLAG_NAMES[path] ?? lastName(path);
}

/**
 * Adds the flag of a key.
 *
 * @param settings grows as the command line is parsed
 * @param heading what the help shows it under
 */
export function addKey(command: Command, key: ConfigKey, settings: Setting[], heading?: string): void {
  const name = flagName(key.path);
  const short = SHORT_FLAGS[key.path];
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}`;
  const boolean = key.kind === 'boolean';
  const option = new Option(boolean ? flags : `${flags} ${placeholder(key)}`, describe(key));
  if (heading !== undefined) option.helpGroup(heading);
  addOverride(command, option, key.path, settings, boolean ? 'true' : undefined);
  if (!boolean) return;
  option.flags = `--[no-]${name}`; // what the help shows
  addOverride(command, new Option(`--no-${name}`).hideHelp(), key.path, settings, 'false');
}

/**
 * Adds an option that sets a key.
 *
 * @param fixed the value, for an option without an argument
 */
export function addOverride(
  command: Command,
  option: Option,
  path: string,
  settings: Setting[],
  fixed?: string,
  read: (typed: string) => string = (typed) => typed,
): void {
  keyOfOption.set(option, path);
  addOption(command, option, (typed) => {
    const where = fixed === undefined ? `${option.long} ${typed}` : option.long!;
    settings.push({ path, value: fixed ?? read(typed), where });
  });
}

/** Adds `--set`. */
export function addSet(command: Command, settings: Setting[]): void {
  addOption(command, new Option('--set <key=value>', 'Set any key of the config; repeatable.'), (value) => {
    settings.push(value);
  });
}

/** Adds the other spellings of those keys whose path `within` takes. */
export function addAliases(command: Command, within: (path: string) => boolean, settings: Setting[]): void {
  for (const { flag, path, value } of ALIASES.filter((alias) => within(alias.path))) {
    const option = new Option(value === undefined ? `--${flag} <value>` : `--${flag}`).hideHelp();
    addOverride(command, option, path, settings, value);
  }
}

/** Adds an option whose values are handed over as they are parsed, so that their order is kept. */
function addOption(command: Command, option: Option, onValue: (value: string) => void): void {
  command.addOption(option);
  command.on(`option:${option.name()}`, onValue);
}

/** What a text stands for. */
const TEXTS: Readonly<Record<string, string>> = {
  gpu: '<card>',
  'decode.tag': '<token>',
  'data.valid-tag': '<token>',
};

function placeholder({ kind, path, words = [] }: ConfigKey): string {
  switch (kind) {
    case 'integer':
      return `<${['n', ...words].join('|')}>`;
    case 'number':
      return '<x>';
    case 'list':
      return '<x,y>';
    case 'texts':
      return '<name,…>';
    case 'choice':
      return '<name>';
    case 'name':
      return '<lang>';
    case 'paths':
      return '<folder,…>';
    case 'path':
      return /(root|dir|-from)$/.test(path) ? '<folder>' : '<file>';
    default:
      return TEXTS[path] ?? '<size>';
  }
}

function describe({ text, choices, fallback }: ConfigKey): string {
  const notes = [
    ...(choices.length > 0 ? [`one of ${choices.join(', ')}`] : []),
    ...(fallback === null || String(fallback) === '' ? [] : [`default: ${String(fallback)}`]),
  ];
  return notes.length === 0 ? text : `${text} (${notes.join('; ')})`;
}
