import { initBackend } from '../backend/init.js';
import { settlePrecision } from '../backend/precision.js';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import type { Config, DecodeConfig } from '../config/schema.js';
import type { CheckpointLocation, WeightsKind } from '../decode/checkpoint-location.js';
import { type LoadedModel, loadDictionaries, loadModel } from '../decode/load-model.js';
import type { Shortlist } from '../decode/shortlist.js';
import { readShortlist } from '../decode/shortlist-file.js';
import { translateLines } from '../decode/translate-lines.js';
import type { Translation } from '../decode/translation-format.js';
import { IncrementalDecoder } from '../model/incremental.js';

/** Lines to group by length at a time. */
const CHUNK = 2000;

export interface LineOptions {
  /** Lines to group by length at a time, which bound the memory; 1 answers each line as it comes. */
  chunk?: number;
  /** Told how many further lines are done. */
  onDone?: (lines: number) => void;
}

/** A trained model in memory, which translates as a config says until it is disposed of. */
export class OpenModel {
  private readonly config: Config;
  private readonly loaded: LoadedModel;
  private readonly decoder: IncrementalDecoder;

  private constructor(config: Config, loaded: LoadedModel, shortlist: Shortlist | null) {
    this.config = config;
    this.loaded = loaded;
    this.decoder = new IncrementalDecoder(
      loaded.model,
      config.decode.precision,
      shortlist === null ? undefined : (source) => shortlist.candidates(source),
    );
  }

  /**
   * Starts the backend of the config and loads a model.
   *
   * @param weights which ones; by default those that the run validates
   * @throws UserError for what is missing or damaged
   */
  static async open(location: CheckpointLocation, config: Config, weights?: WeightsKind): Promise<OpenModel> {
    const backend = await initBackend(config.backend, config.threads);
    log.info(`Backend: ${backend.name} (${backend.reason})`);
    const { precision } = config.decode;
    settlePrecision(backend, precision, 'decode.precision');
    const shortlist = loadShortlist(location, config);
    const loaded = loadModel(location, config, weights, precision);
    log.info(`Model: ${location.checkpoint}`);
    if (!loaded.tokenized) log.info('No tokenizer in the run directory: tokens are parted by white space.');
    if (shortlist !== null) log.info(`Shortlist: ${config.decode.shortlist}`);
    return new OpenModel(config, loaded, shortlist);
  }

  /** Translates lines as they come, in their order; says of a line that is too long for the model that it is cut. */
  translate(lines: AsyncIterable<string>, options: LineOptions = {}): AsyncGenerator<Translation> {
    const { maxPositions } = this.config.model;
    const onCut = (index: number, length: number): void => {
      log.warn(`line ${index + 1}: ${length} tokens, cut to the ${maxPositions} positions of the model`);
    };
    const how = { ...this.config.decode, maxPositions, chunk: options.chunk ?? CHUNK, onCut };
    return translateLines(lines, this.decoder, this.loaded.codec, { ...how, onDone: options.onDone });
  }

  dispose(): void {
    this.decoder.dispose();
    this.loaded.model.dispose();
  }
}

/** The shortlist of a config, for the vocabulary of the run; null where it names none. */
function loadShortlist({ runDirectory }: CheckpointLocation, { data, decode }: Config): Shortlist | null {
  if (decode.shortlist === null) return null;
  return readShortlist(decode.shortlist, loadDictionaries(runDirectory, data));
}

/** @throws UserError where more translations of a sentence are wanted than a search finds */
export function checkNbest({ beam, nbest }: DecodeConfig): void {
  if (nbest <= beam) return;
  throw new UserError({
    problem: `expected nbest to be at most beam, found nbest ${nbest} and beam ${beam}`,
    where: 'decode.nbest',
    hint: `Use --beam ${nbest}, or a smaller --nbest.`,
  });
}
