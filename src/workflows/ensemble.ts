import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { loadRunConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import type { Dictionary } from '../data/dictionary.js';
import { type CheckpointLocation, locateCheckpoint } from '../decode/checkpoint-location.js';
import { EnsembleCodec } from '../decode/ensemble-codec.js';
import { loadCodec } from '../decode/load-model.js';
import type { LineCodec } from '../decode/text-codec.js';

/** A model of an ensemble, as it lies on the disk. */
export interface Member {
  location: CheckpointLocation;
  config: Config;
  vocabulary: { source: number; target: number };
  dictionaries: { source: Dictionary; target: Dictionary };
  tokenized: boolean;
}

/** What translates: one model, or several. */
export interface Members {
  members: readonly [Member, ...Member[]];
  codec: LineCodec;
  /** Longest decoder input of all of them. */
  maxPositions: number;
  /** Whether all of them write from right to left. */
  rightToLeft: boolean;
}

/**
 * Finds a model and those that `decode.ensemble` has beside it.
 *
 * @throws UserError for what is missing or damaged, and where their target vocabularies differ
 */
export function findMembers(location: CheckpointLocation, config: Config): Members {
  const { ensemble, shortlist, tag } = config.decode;
  if (ensemble.length > 0 && shortlist !== null)
    throw new UserError({
      problem: 'a shortlist is for one model, and not for an ensemble',
      where: 'decode.shortlist',
      hint: 'Leave one of them out; --shortlist null where the config of the run names one.',
    });
  const others = ensemble.map((run) => ({
    location: locateCheckpoint(run),
    config: loadRunConfig(run).config,
  }));
  const found = [{ location, config }, ...others].map((member) => {
    return { ...member, ...loadCodec(member.location.runDirectory, member.config.data, tag) };
  });
  for (const other of found.slice(1)) {
    checkVocabulary(found[0], other);
    checkDirection(found[0], other);
  }
  const codecs = found.map(({ codec }) => codec);
  return {
    members: found as unknown as [Member, ...Member[]],
    codec: codecs.length === 1 ? codecs[0] : new EnsembleCodec(codecs),
    maxPositions: Math.min(...found.map((member) => member.config.model.maxPositions)),
    rightToLeft: config.model.rightToLeft,
  };
}

type Located = Pick<Member, 'location' | 'dictionaries'>;

/** @throws UserError that names the first difference of two target vocabularies */
function checkVocabulary(first: Located, other: Located): void {
  const [own, its] = [first, other].map(({ dictionaries }) => dictionaries.target);
  const symbols = Math.min(own.size, its.size);
  let id = 0;
  while (id < symbols && own.symbolOf(id) === its.symbolOf(id)) id++;
  if (id === symbols && own.size === its.size) return;
  const difference =
    id < symbols
      ? `piece ${id} is '${its.symbolOf(id)}', not '${own.symbolOf(id)}'`
      : `${its.size} pieces, not ${own.size}`;
  throw new UserError({
    problem: `expected the target vocabulary of ${first.location.runDirectory}, found another: ${difference}`,
    where: other.location.runDirectory,
    hint: 'Models of an ensemble write the same pieces: train them on one dataset (data.destdir), with other seeds for example.',
  });
}

type Directed = Pick<Member, 'location' | 'config'>;

/** @throws UserError where one writes from the end and the other from the beginning */
function checkDirection(first: Directed, other: Directed): void {
  if (first.config.model.rightToLeft === other.config.model.rightToLeft) return;
  const words = (member: Directed): string =>
    member.config.model.rightToLeft ? 'from right to left' : 'from left to right';
  throw new UserError({
    problem: `expected a model that writes ${words(first)}, as ${first.location.runDirectory} does; found one that writes ${words(other)}`,
    where: other.location.runDirectory,
    hint: 'It can score the translations of the other: translate --nbest N --format nbest, then evaluate --nbest.',
  });
}

/** Says which models are there. */
export function tellMembers(members: readonly Member[]): void {
  for (const { location, tokenized } of members) {
    log.info(`Model: ${location.checkpoint}`);
    if (!tokenized) log.info('No tokenizer in the run directory: tokens are parted by white space.');
  }
}
