import type { Precision } from '../common/precision.js';
import type { ModelConfig } from '../config/schema.js';
import { type Packed, pack } from '../data/batch.js';
import { EOS } from '../data/dictionary.js';
import type { HeadRows } from '../ops/attention.js';
import { type KeyValueStore, type Seen, seenBy } from '../ops/cached-attention.js';
import { PreparedLinear } from '../ops/prepared-linear.js';
import { tf } from '../ops/tf.js';
import { allLogProbs, topLogProbs } from '../ops/top-log-probs.js';
import { embed } from './embeddings.js';
import { LayerStores, type PlaceHolder } from './layer-stores.js';
import { type AttentionBranch, finishReleasing, layer, project, projectOut } from './layers.js';
import { OUTPUT_BIAS, outputName, type VocabularySizes } from './parameters.js';
import { Pass, PreparedLinears } from './pass.js';
import { type Candidates, RestrictedOutput } from './restricted-output.js';
import { encoderSteps } from './stacks.js';

/** What decoding needs of a model. Of the weights those of linear maps may be missing where the maps are prepared. */
export interface DecodingModel {
  readonly config: ModelConfig;
  readonly vocabulary: VocabularySizes;
  /** By official name. */
  readonly weights: ReadonlyMap<string, tf.Tensor>;
}

/**
 * The model as a search asks it: token by token, with the keys and values of what was read and written kept. Weights are
 * those of when it was made.
 */
export class IncrementalDecoder {
  private readonly model: DecodingModel;
  private readonly precision: Precision;
  private readonly prepared: PreparedLinears;
  private readonly candidates: Candidates | undefined;
  /** Stores that no state holds: their memory serves the next batch. */
  private readonly spare: KeyValueStore[] = [];

  /**
   * @param precision to decode in, whatever the model is trained in
   * @param candidates what translations of a source are made of; by default all of the target dictionary
   * @param prepared linear maps that are there already; this object disposes of them
   */
  constructor(
    model: DecodingModel,
    precision: Precision = 'float32',
    candidates?: Candidates,
    prepared = new PreparedLinears(),
  ) {
    this.model = model;
    this.precision = precision;
    this.candidates = candidates;
    this.prepared = prepared;
  }

  /** Entries of the target dictionary. */
  get vocabularySize(): number {
    return this.model.vocabulary.target;
  }

  /** A batch that has no rows yet. */
  start(): IncrementalState {
    const { model, precision, prepared, spare, candidates } = this;
    return new IncrementalState(model, precision, prepared, spare, candidates);
  }

  /** Prepares all linear maps, which are else prepared when they are first used. */
  async prepare(): Promise<void> {
    const state = this.start();
    try {
      state.add(pack([[EOS]]));
      await state.step(Int32Array.of(EOS), 1, []);
    } finally {
      state.dispose();
    }
  }

  /** Releases what it made of the weights, and the memory that batches have used; the model stays. */
  dispose(): void {
    this.prepared.dispose();
    for (const store of this.spare.splice(0)) store.dispose();
  }
}

/** What may follow each row; see `Continuations` of decode/step-model.ts. */
export interface IncrementalContinuations {
  ids: Int32Array;
  logProbs: Float32Array;
  endLogProbs: Float32Array;
}

/** A sentence of a batch; its places are those of its keys. */
interface Source extends PlaceHolder {
  /** What its translation is made of, where that is restricted. */
  candidates: Int32Array | null;
  /** Its place in the restricted output. */
  list: number;
}

/** One live hypothesis; its places are those of the keys of what was fed so far, in their order. */
interface Row extends PlaceHolder {
  source: Source;
}

/**
 * The rows of one batch between two steps. A place in the stores holds the keys and values of one token; rows of one
 * sentence share those of its source, and rows with a common past share its places.
 */
export class IncrementalState {
  private readonly model: DecodingModel;
  private readonly prepared: PreparedLinears;
  private readonly candidates: Candidates | undefined;
  private readonly pass: Pass;
  /** Keys and values of the encoder's output, and of what was fed; a store for each layer. */
  private readonly source: LayerStores;
  private readonly past: LayerStores;
  /** For the sentences that were there when the last ones came in. */
  private restricted: RestrictedOutput | undefined;
  private rows: Row[] = [];

  /** @param spare stores to use, and to give back at the end */
  constructor(
    model: DecodingModel,
    precision: Precision,
    prepared: PreparedLinears,
    spare: KeyValueStore[],
    candidates?: Candidates,
  ) {
    this.model = model;
    this.prepared = prepared;
    this.candidates = candidates;
    this.pass = new Pass(model.config, model.weights, { training: null, prepared }, precision);
    const { embedDim, decoder } = model.config;
    this.source = new LayerStores(decoder.layers, embedDim, spare);
    this.past = new LayerStores(decoder.layers, embedDim, spare);
  }

  /** Encodes sentences that end in `</s>`. Each is one row, in their order behind those that are there. */
  add(sources: Packed): void {
    const { tokens, offsets } = sources;
    this.source.compact(this.sources());
    const first = this.source.take(tokens.length);
    for (let i = 0; i + 1 < offsets.length; i++) {
      const [from, to] = [offsets[i], offsets[i + 1]];
      const places = ascending(first + from, to - from);
      const candidates = this.candidates?.(tokens.subarray(from, to)) ?? null;
      this.rows.push({ source: { places, candidates, list: 0 }, places: new Int32Array(0) });
    }
    if (this.candidates !== undefined) this.restrict();
    tf.tidy(() => {
      const memory = finishReleasing(encoderSteps(this.pass, sources));
      this.source.stores.forEach((store, index) => {
        const prefix = `decoder.layers.${index}.encoder_attn.`;
        const [keys, values] = project(this.pass, prefix, ['k', 'v'], memory);
        store.put(first, keys, values);
      });
    });
  }

  /**
   * Feeds one token to each row and asks what may follow.
   *
   * @param tokens the last token of each row, [rows]
   * @param k how many continuations to return for each row
   * @param forbid ids that are not returned; they keep their share of the probability
   */
  async step(tokens: Int32Array, k: number, forbid: readonly number[]): Promise<IncrementalContinuations> {
    const { restricted } = this;
    const { logits, lists } = this.logits(tokens, k + forbid.length);
    // Special symbols have their own ids among those of a sentence, too: forbidden ones and `</s>` are found by them.
    const { ids, logProbs, ofAsked } = await topLogProbs(logits, k, forbid, EOS);
    logits.dispose();
    const idAt = (place: number, i: number): number => restricted!.idAt(lists[Math.floor(i / k)], place);
    return { ids: restricted === undefined ? ids : ids.map(idAt), logProbs, endLogProbs: ofAsked };
  }

  /**
   * Feeds one token to each row and asks for all of what may follow, in numbers that the caller may change.
   *
   * @param tokens the last token of each row, [rows]
   * @returns natural log-probabilities, [rows · V]; −∞ for what the row's translation may not have
   */
  async distribution(tokens: Int32Array): Promise<Float32Array> {
    const { logits, lists } = this.logits(tokens, 1);
    const logProbs = await allLogProbs(logits);
    logits.dispose();
    return this.restricted?.widen(logProbs, lists) ?? logProbs;
  }

  /** Makes row i a copy of what row `rows[i]` was. */
  select(rows: Int32Array): void {
    this.rows = Array.from(rows, (row) => ({ ...this.rows[row] }));
    this.past.compact(this.rows);
  }

  dispose(): void {
    this.restricted?.dispose();
    this.source.dispose();
    this.past.dispose();
  }

  /**
   * Feeds one token to each row.
   *
   * @param least how long a row of logits is at least
   * @returns logits, which the caller disposes of, and which of the restricted lists each row has
   */
  private logits(tokens: Int32Array, least: number): { logits: tf.Tensor2D; lists: Int32Array } {
    const lists = Int32Array.from(this.rows, ({ source }) => source.list);
    const logits = tf.tidy(() => {
      const hidden = this.hidden(tokens);
      return this.restricted?.apply(hidden, lists, least) ?? this.output().apply(hidden);
    });
    return { logits, lists };
  }

  private output(): PreparedLinear {
    const { precision } = this.pass;
    return this.prepared.get('output', () =>
      PreparedLinear.of(this.outputWeight(), this.outputBias(), precision),
    );
  }

  private outputWeight(): tf.Tensor2D {
    return this.pass.matrix(outputName(this.model.config));
  }

  private outputBias(): tf.Tensor1D | null {
    return this.model.config.outputBias ? this.pass.vector(OUTPUT_BIAS) : null;
  }

  /** The sentences that are there, in their order. */
  private sources(): Source[] {
    return [...new Set(this.rows.map(({ source }) => source))];
  }

  /** Makes the output anew, for the sentences that are there now. */
  private restrict(): void {
    const sources = this.sources();
    sources.forEach((source, i) => {
      source.list = i;
    });
    const lists = sources.map(({ candidates }) => candidates!);
    this.restricted?.dispose();
    const { precision } = this.pass;
    this.restricted = new RestrictedOutput(this.outputWeight(), lists, precision, this.outputBias());
  }

  /** Feeds the tokens to the decoder. @returns its output, [rows, d] */
  private hidden(tokens: Int32Array): tf.Tensor2D {
    const { pass, model, rows } = this;
    const positions = Int32Array.from(rows, ({ places }) => places.length);
    const first = this.past.take(tokens.length);
    rows.forEach((row, i) => {
      row.places = extended(row.places, first + i);
    });
    const past = seenBy(rows.map(({ places }) => places));
    const source = seenBy(rows.map(({ source }) => source.places));
    let hidden = embed(pass, 'decoder', tokens, positions);
    for (let index = 0; index < model.config.decoder.layers; index++) {
      const attend = {
        self: this.selfAttention(this.past.stores[index], first, past),
        encoder: this.encoderAttention(this.source.stores[index], source),
      };
      hidden = finishReleasing(layer(pass, 'decoder', index, hidden, attend));
    }
    return pass.scheme('decoder').norm === 'pre' ? pass.layerNorm(hidden, 'decoder.layer_norm') : hidden;
  }

  private selfAttention(store: KeyValueStore, first: number, seen: Seen): AttentionBranch {
    return (input, prefix) => {
      const [queries, keys, values] = project(this.pass, prefix, ['q', 'k', 'v'], input);
      store.put(first, keys, values);
      return this.attend(store, prefix, queries, seen);
    };
  }

  private encoderAttention(store: KeyValueStore, seen: Seen): AttentionBranch {
    return (input, prefix) => this.attend(store, prefix, project(this.pass, prefix, ['q'], input)[0], seen);
  }

  private attend(store: KeyValueStore, prefix: string, queries: HeadRows, seen: Seen): tf.Tensor2D {
    const mixed = store.attend(queries, seen, this.model.config.attentionHeads);
    return projectOut(this.pass, prefix, mixed);
  }
}

const ascending = (first: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => first + i);

function extended(list: Int32Array, value: number): Int32Array {
  const longer = new Int32Array(list.length + 1);
  longer.set(list);
  longer[list.length] = value;
  return longer;
}
