import { type ChosenBackend, initBackend } from '../backend/init.js';
import { settlePrecision } from '../backend/precision.js';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import type { Config, DecodeConfig } from '../config/schema.js';
import { Aligner } from '../decode/alignment/aligner.js';
import type { ForcedAttention } from '../decode/alignment/attention.js';
import type { CheckpointLocation, WeightsKind } from '../decode/checkpoint-location.js';
import { type DecodingEngine, openEngine, openEnsemble, settleStreams } from '../decode/engine.js';
import type { LineRequest } from '../decode/line-request.js';
import { type LineSearch, LineTranslator } from '../decode/line-translator.js';
import { loadModel } from '../decode/load-model.js';
import { MinimumRisk } from '../decode/minimum-risk.js';
import { readPhrasePairs } from '../decode/phrase-pairs.js';
import { attentionAsRead } from '../decode/reading-order.js';
import { readShortlist } from '../decode/shortlist-file.js';
import { Terminology } from '../decode/terminology.js';
import type { LineCodec } from '../decode/text-codec.js';
import { type TranslateOptions, translateLines } from '../decode/translate-lines.js';
import type { Translation } from '../decode/translation-format.js';
import type { ProseOptions } from '../formats/document/prose.js';
import { attentionChoice } from './attention-choice.js';
import { findMembers, type Members, tellMembers } from './ensemble.js';

/** Who hears of lines that are translated. */
export interface LineListeners extends Pick<TranslateOptions, 'onDone' | 'onWait' | 'placeOf' | 'signal'> {
  /** Whether translations are aligned where the config does not ask for it. */
  align?: boolean;
  /** Hears of lines that are cut; default the log. */
  warn?: (message: string) => void;
}

/** A trained model in memory, which translates as a config says until it is disposed of. */
export class OpenModel {
  private readonly config: Config;
  private readonly codec: LineCodec;
  private readonly maxPositions: number;
  private readonly rightToLeft: boolean;
  private readonly engine: DecodingEngine;
  private readonly terms: Terminology | null;
  private readonly risk: MinimumRisk | null;
  /** What `<unk>` becomes by source words; null leaves it. */
  private readonly unknown: ReadonlyMap<string, string> | null;

  private constructor(
    config: Config,
    { codec, maxPositions, rightToLeft }: Members,
    engine: DecodingEngine,
    { terms, unknown }: Phrases,
  ) {
    this.config = config;
    this.codec = codec;
    this.maxPositions = maxPositions;
    this.rightToLeft = rightToLeft;
    this.engine = engine;
    this.terms = terms;
    this.risk = riskOf(config.decode, config.data.targetLang);
    this.unknown = unknown;
  }

  /**
   * Starts the backend of the config and loads a model.
   *
   * @param weights which ones; by default those that the run validates
   * @param expected sentences to translate, where that is known
   * @throws UserError for what is missing or damaged
   */
  static async open(
    location: CheckpointLocation,
    config: Config,
    weights?: WeightsKind,
    expected?: number,
  ): Promise<OpenModel> {
    const backend = await startDecoding(config);
    const { precision, shortlist: file } = config.decode;
    settleStreams(backend, config.decode.streams);
    const phrases = readPhrases(config.decode);
    const found = findMembers(location, config);
    const shortlist = file === null ? null : readShortlist(file, found.members[0].dictionaries);
    const loads = found.members.map(
      (member) => () => loadModel(member.location, member.config, member.vocabulary, weights, precision),
    );
    const engine =
      loads.length > 1
        ? await openEnsemble(backend, loads, config.decode)
        : await openEngine(backend, loads[0], { ...config.decode, shortlist, expected });
    tellMembers(found.members);
    if (shortlist !== null) log.info(`Shortlist: ${file}`);
    return new OpenModel(config, found, engine, phrases);
  }

  /** Translates lines as they come, in their order; says of a line that is too long for the model that it is cut. */
  translate(
    lines: AsyncIterable<string | LineRequest>,
    { warn = (message) => log.warn(message), align = false, ...listeners }: LineListeners = {},
  ): AsyncGenerator<Translation> {
    const { maxPositions, rightToLeft } = this;
    const onCut = (index: number, length: number): void => {
      warn(`line ${index + 1}: ${length} tokens, cut to the ${maxPositions} positions of the model`);
    };
    const onMissing = (index: number, phrases: readonly string[]): void => {
      warn(`line ${index + 1}: other rules keep ${phrases.map((phrase) => `'${phrase}'`).join(', ')} out`);
    };
    const { decode, seed } = this.config;
    const { terms, risk } = this;
    const aligner = this.aligner(align || decode.alignment !== null);
    const model = { maxPositions, rightToLeft };
    const how = { ...decode, ...model, seed, terms, risk, aligner, onCut, onMissing, ...listeners };
    return translateLines(lines, this.engine.search, this.codec, how);
  }

  /** @param all whether all translations are aligned; null where none ever is */
  private aligner(all: boolean): Aligner | null {
    const { config, unknown, codec } = this;
    if (!all && unknown === null) return null;
    const choice = attentionChoice(config);
    const { alignmentUnit: unit, maxTokens, batchSize } = config.decode;
    const options = { all, unit, unknown, maxTokens, batchSize, maxPositions: this.maxPositions };
    const attention: ForcedAttention = (batch) => this.engine.attention(batch, choice);
    return new Aligner(this.rightToLeft ? attentionAsRead(attention) : attention, codec, options);
  }

  /** How texts are taken apart for this model. */
  get prose(): ProseOptions {
    const { data } = this.config;
    const fits = (text: string): boolean => this.codec.encode(text).length <= this.maxPositions;
    return { language: data.sourceLang, targetLanguage: data.targetLang, fits };
  }

  /** Begins to translate lines for many at once, until the model is disposed of. */
  translateAsTheyCome(): LineTranslator {
    const { config, maxPositions, rightToLeft, engine } = this;
    const how = { ...config.decode, maxPositions, rightToLeft };
    const open = (heeding: boolean) => engine.searchAsTheyCome(how, heeding);
    return new LineTranslator(open, this.codec, this.lineSearch(config), this.terms);
  }

  /**
   * How lines are translated by a config that differs from that of the model in `decode` and `seed` alone.
   *
   * @throws UserError where it asks for alignments
   */
  lineSearch({ decode, seed, data }: Config): LineSearch {
    if (decode.alignment !== null || decode.unk === 'replace')
      throw new UserError({
        problem: `sentences that come one by one are not aligned; found ${decode.alignment === null ? 'decode.unk: replace' : `decode.alignment: ${decode.alignment}`}`,
        where: 'decode',
        hint: 'Leave it out, or say null of decode.alignment and keep of decode.unk where the config of the run has it; the command translate aligns.',
      });
    const { maxPositions, rightToLeft } = this;
    return { ...decode, seed, maxPositions, rightToLeft, risk: riskOf(decode, data.targetLang) };
  }

  dispose(): void {
    this.engine.dispose();
  }
}

function riskOf({ mbr }: DecodeConfig, targetLang: string): MinimumRisk | null {
  return mbr === null ? null : new MinimumRisk(mbr, targetLang);
}

/** What files say of phrases. */
interface Phrases {
  terms: Terminology | null;
  unknown: ReadonlyMap<string, string> | null;
}

function readPhrases({ terminology, unk, unkDictionary }: DecodeConfig): Phrases {
  const entries = () =>
    unkDictionary === null ? new Map<string, string>() : readPhrasePairs(unkDictionary, 'a dictionary');
  return {
    terms: terminology === null ? null : Terminology.load(terminology),
    unknown: unk === 'replace' ? entries() : null,
  };
}

/** Starts the backend of a config. @throws UserError where it cannot compute as the config says */
export async function startDecoding({ backend, threads, gpu, decode }: Config): Promise<ChosenBackend> {
  const chosen = await initBackend(backend, threads, gpu);
  log.info(`Backend: ${chosen.name} (${chosen.reason})`);
  settlePrecision(chosen, decode.precision, 'decode.precision');
  return chosen;
}

/** @throws UserError where more translations of a sentence are wanted than a search finds */
export function checkNbest({ beam, nbest, sampling, mbr }: DecodeConfig): void {
  if ((sampling && mbr === null) || nbest <= beam) return;
  throw new UserError({
    problem: `expected nbest to be at most beam, found nbest ${nbest} and beam ${beam}`,
    where: 'decode.nbest',
    hint: `Use --beam ${nbest}, or a smaller --nbest.`,
  });
}
