import { log } from '../common/log.js';
import type { Stop } from '../common/stop.js';
import { loadRunConfig } from '../config/load.js';
import type { Config, PartialConfig } from '../config/schema.js';
import { locateCheckpoint, type WeightsKind } from '../decode/checkpoint-location.js';
import { checkRequest, type LineRequest, lineName } from '../decode/line-request.js';
import type { Translation } from '../decode/translation-format.js';
import { checkNbest, OpenModel } from '../workflows/open-model.js';

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
  /** Graphics card of the backend webgpu: its number or a part of its name. */
  gpu?: string;
  threads?: number;
  /** Seed of what is drawn at random (default: that of the run). */
  seed?: number;
}

/** A trained model that translates. It holds the weights in memory until it is disposed of. */
export class Translator {
  readonly sourceLang: string;
  readonly targetLang: string;
  /** The folder that the weights come from. */
  readonly checkpoint: string;
  private readonly model: OpenModel;

  private constructor({ data }: Config, checkpoint: string, model: OpenModel) {
    this.sourceLang = data.sourceLang;
    this.targetLang = data.targetLang;
    this.checkpoint = checkpoint;
    this.model = model;
  }

  /**
   * Loads a model.
   *
   * @param run a run directory, or a checkpoint in one
   * @throws UserError for what is missing, damaged or cannot be meant
   */
  static async load(run: string, options: TranslatorOptions = {}): Promise<Translator> {
    const { backend, gpu, threads, decode, seed } = options;
    const { config, warnings } = loadRunConfig(run, { files: [{ seed, backend, gpu, threads, decode }] });
    for (const warning of warnings) log.warn(warning);
    checkNbest(config.decode);
    const location = locateCheckpoint(run, options.checkpoint);
    return new Translator(
      config,
      location.checkpoint,
      await OpenModel.open(location, config, options.weights),
    );
  }

  /**
   * Translates sentences in their order, as they come: those that have come when the model is free together, as many
   * as `decode.buffer-size` at a time.
   *
   * @param options `signal`: ends it with the reason of the signal, after the sentences that are under way
   * @returns for each of them its hypotheses, the best first, with tokens and log-probabilities
   */
  translate(sentences: Sentences, { signal }: { signal?: Stop } = {}): AsyncGenerator<Translation> {
    return this.model.translate(inTurn(sentences), { signal });
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
    this.model.dispose();
  }
}

/** Texts, or texts with what is wished of their translations. */
type Sentences = Iterable<string | LineRequest> | AsyncIterable<string | LineRequest>;

async function* inTurn(sentences: Sentences): AsyncGenerator<string | LineRequest> {
  let index = 0;
  for await (const sentence of sentences) {
    yield typeof sentence === 'string' ? sentence : checkRequest(sentence, lineName(index));
    index++;
  }
}
