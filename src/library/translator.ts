import { initBackend } from '../backend/init.js';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { loadRunConfig } from '../config/load.js';
import type { Config, PartialConfig } from '../config/schema.js';
import { locateCheckpoint, type WeightsKind } from '../decode/checkpoint-location.js';
import { type LoadedModel, loadModel } from '../decode/load-model.js';
import { translateLines } from '../decode/translate-lines.js';
import type { Translation } from '../decode/translation-format.js';
import { IncrementalDecoder } from '../model/incremental.js';

/** What of a run is loaded, and how it translates. */
export interface TranslatorOptions {
  /** A checkpoint of the run, by name or path (default: the best, else the last). */
  checkpoint?: string;
  /** The weights of training, or their moving average (default: what the run validates). */
  weights?: WeightsKind;
  /** Keys of the section `decode` of a config, over those of the run: beam, nbest, lenpen, max-len-a, … */
  decode?: PartialConfig['decode'];
  /** Where to compute; `auto` (default) takes the fastest that there is. */
  backend?: Config['backend'];
  threads?: number;
}

/** A trained model that translates. It holds the weights in memory until it is disposed of. */
export class Translator {
  readonly sourceLang: string;
  readonly targetLang: string;
  /** The folder that the weights come from. */
  readonly checkpoint: string;
  private readonly config: Config;
  private readonly loaded: LoadedModel;
  private readonly decoder: IncrementalDecoder;

  private constructor(config: Config, checkpoint: string, loaded: LoadedModel) {
    this.config = config;
    this.checkpoint = checkpoint;
    this.loaded = loaded;
    this.decoder = new IncrementalDecoder(loaded.model);
    this.sourceLang = config.data.sourceLang;
    this.targetLang = config.data.targetLang;
  }

  /**
   * Loads a model.
   *
   * @param run a run directory, or a checkpoint in one
   * @throws UserError for what is missing, damaged or cannot be meant
   */
  static async load(run: string, options: TranslatorOptions = {}): Promise<Translator> {
    const { backend, threads, decode = {} } = options;
    const given = { backend, threads, ...prefixed('decode', decode) };
    const sets = Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .map(([path, value]) => ({ path, value: JSON.stringify(value), where: path }));
    const { config } = loadRunConfig(run, { sets });
    if (config.decode.nbest > config.decode.beam) throw tooMany(config.decode);
    const location = locateCheckpoint(run, options.checkpoint);
    await initBackend(config.backend, config.threads);
    return new Translator(config, location.checkpoint, loadModel(location, config, options.weights));
  }

  /**
   * Translates sentences in their order, as they come: as many as 2 000 are grouped by length at a time.
   *
   * @returns for each of them its hypotheses, the best first, with tokens and log-probabilities
   */
  async *translate(sentences: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Translation> {
    const { maxPositions } = this.config.model;
    const onCut = (index: number, length: number): void => {
      log.warn(`sentence ${index + 1}: ${length} tokens, cut to the ${maxPositions} positions of the model`);
    };
    const options = { ...this.config.decode, maxPositions, chunk: 2000, onCut };
    yield* translateLines(inTurn(sentences), this.decoder, this.loaded.codec, options);
  }

  /** Translates a sentence, or an array of them, to text alone. */
  async translateText(text: string): Promise<string>;
  async translateText(texts: readonly string[]): Promise<string[]>;
  async translateText(given: string | readonly string[]): Promise<string | string[]> {
    const texts: string[] = [];
    const sentences = typeof given === 'string' ? [given] : given;
    for await (const { hypotheses } of this.translate(sentences)) texts.push(hypotheses[0].text);
    return typeof given === 'string' ? texts[0] : texts;
  }

  /** Frees the memory of the model. */
  dispose(): void {
    this.decoder.dispose();
    this.loaded.model.dispose();
  }
}

function prefixed(section: string, keys: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${section}.${key}`, value]));
}

async function* inTurn(sentences: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  yield* sentences;
}

function tooMany({ beam, nbest }: Config['decode']): UserError {
  return new UserError({
    problem: `expected nbest to be at most beam, found nbest ${nbest} and beam ${beam}`,
    where: 'decode.nbest',
  });
}
