import { DamageError, UserError } from '../common/errors.js';
import { readFileBounded } from '../common/file-input.js';
import { readJson, writeFileAtomic } from '../common/files.js';
import { refuseNewer } from '../common/format-version.js';
import { seal, unseal } from '../common/seal.js';
import type { ModelConfig } from '../config/schema.js';
import type { OmegaValues } from './omega.js';
import { omegaOf, type ProfiledSublayer } from './profile.js';
import { type Site, sitesOf } from './scheme.js';

/** Names of the two files that profiling writes. */
export const PROFILE_FILE = 'admin-profile.json';
export const OFFICIAL_PROFILE_FILE = 'profile.ratio.init';

const FORMAT = 'admin-nmt/profile';
const VERSION = 1;

/** What an `admin-profile.json` holds. */
export interface ProfileFile {
  format: typeof FORMAT;
  version: number;
  /** Shape of the model that was profiled. */
  model: { embedDim: number; encoderLayers: number; decoderLayers: number };
  /** Hash of everything the profile depends on in the config. */
  modelHash: string;
  dataHash: string;
  seed: number;
  sublayers: ProfiledSublayer[];
}

/** What a profile was made of: it holds for nothing else. */
export type ProfileOrigin = Pick<ProfileFile, 'modelHash' | 'dataHash' | 'seed'>;

/** Writes `admin-profile.json`. */
export function writeProfile(
  file: string,
  config: ModelConfig,
  sublayers: readonly ProfiledSublayer[],
  origin: ProfileOrigin,
): void {
  const content: ProfileFile = {
    format: FORMAT,
    version: VERSION,
    model: shapeOf(config),
    modelHash: origin.modelHash,
    dataHash: origin.dataHash,
    seed: origin.seed,
    sublayers: [...sublayers],
  };
  writeFileAtomic(file, `${JSON.stringify(seal(content), null, 1)}\n`);
}

/** The official `profile.ratio.init`: `index ω` a line, the encoder from 1, then the decoder from 1 again. */
export function writeOfficialProfile(file: string, sublayers: readonly ProfiledSublayer[]): void {
  writeFileAtomic(file, formatOfficialProfile(sublayers));
}

/** The text of a `profile.ratio.init`. */
export function formatOfficialProfile(sublayers: readonly ProfiledSublayer[]): string {
  const { encoder, decoder } = omegaOf(sublayers);
  return [encoder, decoder].flatMap((values) => values.map((omega, i) => `${i + 1} ${omega}\n`)).join('');
}

/**
 * Reads ω from either file and checks that it is for this model.
 *
 * @throws UserError naming both shapes when they differ, or what is wrong with the file
 */
export function readOmega(file: string, config: ModelConfig): OmegaValues {
  const start = readFileBounded(file, 'a profile', 2 ** 26)
    .toString('utf8')
    .trimStart();
  if (/^\d/.test(start)) return parseOfficialProfile(start, file, config);
  const profile = readProfile(file);
  checkShape(file, profile.model, config);
  return omegaOf(profile.sublayers);
}

/**
 * Reads an `admin-profile.json` of any shape.
 *
 * @throws UserError when it is damaged, of another version or not such a file
 */
export function readProfile(file: string): ProfileFile {
  const hint = 'Make it again with `admin-nmt profile`.';
  const content = unseal(readJson(file, 'an admin-profile.json'), file, hint) as Partial<ProfileFile> | null;
  const refuse = (problem: string): UserError => new DamageError({ problem, where: file, hint });
  if (content?.format !== FORMAT) throw refuse('this is not an admin-profile.json');
  refuseNewer(content.version, VERSION, 'a profile', file);
  if (content.version !== VERSION) {
    throw refuse(`expected a profile of version ${VERSION}, found version ${content.version}`);
  }
  const { sublayers, model } = content;
  if (!isShape(model)) throw refuse('expected the shape of the model, found none');
  const count = 2 * model.encoderLayers + 3 * model.decoderLayers;
  if (!Array.isArray(sublayers) || sublayers.length !== count || !followModel(sublayers, model)) {
    throw refuse(
      `expected the ${count} sublayers of ${describe(model)} in the order of the model, each with its variances and a positive ω`,
    );
  }
  return content as ProfileFile;
}

function isShape(model: ProfileFile['model'] | undefined): model is ProfileFile['model'] {
  const { embedDim, encoderLayers, decoderLayers } = model ?? {};
  return [embedDim, encoderLayers, decoderLayers].every((size) => Number.isSafeInteger(size) && size! > 0);
}

function followModel(
  sublayers: readonly (ProfiledSublayer | null)[],
  { encoderLayers, decoderLayers }: ProfileFile['model'],
): boolean {
  const shape = { encoder: { layers: encoderLayers }, decoder: { layers: decoderLayers } };
  const sites = [...sitesOf(shape, 'encoder'), ...sitesOf(shape, 'decoder')];
  return sites.every((site, i) => isSublayer(sublayers[i], site));
}

function isSublayer(entry: ProfiledSublayer | null, site: Site): boolean {
  return (
    entry !== null &&
    entry.stack === site.stack &&
    entry.layer === site.layer &&
    entry.sublayer === site.sublayer &&
    Number.isFinite(entry.shortcutVariance) &&
    Number.isFinite(entry.branchVariance) &&
    isOmega(entry.omega)
  );
}

const isOmega = (value: number): boolean => Number.isFinite(value) && value > 0;

function checkShape(file: string, found: ProfileFile['model'], config: ModelConfig): void {
  const expected = shapeOf(config);
  const keys = ['embedDim', 'encoderLayers', 'decoderLayers'] as const;
  if (keys.every((key) => found[key] === expected[key])) return;
  throw new UserError({
    problem: `expected a profile for ${describe(expected)}, found one for ${describe(found)}`,
    where: file,
    hint: 'Make one for this model with `admin-nmt profile`.',
  });
}

/** `index ω` a line as the official code writes it, or ω alone, as deepnmt does (its `--admin-init-path`). */
function parseOfficialProfile(text: string, file: string, config: ModelConfig): OmegaValues {
  if (!text.endsWith('\n')) {
    throw new UserError({
      problem: 'expected lines of "index ω" or "ω", found a last line without its end',
      where: file,
      hint: 'The profile is cut short; make it again with `admin-nmt profile`.',
    });
  }
  const lines = text.trimEnd().split('\n');
  const counts = { encoder: sitesOf(config, 'encoder').length, decoder: sitesOf(config, 'decoder').length };
  const expected = [...counting(counts.encoder), ...counting(counts.decoder)];
  if (lines.length !== expected.length) {
    throw new UserError({
      problem: `expected ${expected.length} lines for ${describe(shapeOf(config))}, found ${lines.length}`,
      where: file,
      hint: 'The profile is of another depth, or cut short; make it again with `admin-nmt profile`.',
    });
  }
  const isNumbered = /\s/.test(lines[0].trim());
  const values = lines.map((line, i) => {
    const fields = line.trim().split(/\s+/).map(Number);
    const omega = fields[fields.length - 1];
    const isLine = isNumbered ? fields.length === 2 && fields[0] === expected[i] : fields.length === 1;
    if (!isLine || !isOmega(omega)) {
      throw new UserError({
        problem: `expected "${isNumbered ? `${expected[i]} ` : ''}ω" with a positive ω, found ${JSON.stringify(line.slice(0, 80))}`,
        where: `${file}:${i + 1}`,
        hint: 'The profile is damaged or of another depth; make it again with `admin-nmt profile`.',
      });
    }
    return omega;
  });
  return { encoder: values.slice(0, counts.encoder), decoder: values.slice(counts.encoder) };
}

const counting = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

function shapeOf(config: ModelConfig): ProfileFile['model'] {
  return {
    embedDim: config.embedDim,
    encoderLayers: config.encoder.layers,
    decoderLayers: config.decoder.layers,
  };
}

function describe({ encoderLayers, decoderLayers, embedDim }: ProfileFile['model']): string {
  return `${encoderLayers} encoder and ${decoderLayers} decoder layers of width ${embedDim}`;
}
