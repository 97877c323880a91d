import type { Precision } from '../common/precision.js';
import type { Packed } from '../data/batch.js';
import { EOS } from '../data/dictionary.js';
import type { HeadRows } from '../ops/attention.js';
import { KeyValueStore, type Seen, seenBy } from '../ops/cached-attention.js';
import { PreparedLinear } from '../ops/prepared-linear.js';
import { tf } from '../ops/tf.js';
import { logProbsOf, type TopLogProbs, topLogProbs } from '../ops/top-log-probs.js';
import { embed } from './embeddings.js';
import { type AttentionBranch, finishReleasing, layer, project, projectOut } from './layers.js';
import { type Pass, PreparedLinears } from './pass.js';
import { type Candidates, RestrictedOutput } from './restricted-output.js';
import type { Transformer } from './transformer.js';

/**
 * The model as a search asks it: token by token, with the keys and values of what was read and written kept. Weights are
 * those of when it was made.
 */
export class IncrementalDecoder {
  private readonly model: Transformer;
  private readonly precision: Precision;
  private readonly candidates: Candidates | undefined;
  private readonly prepared = new PreparedLinears();
  /** Stores that no state holds: their memory serves the next batch. */
  private readonly spare: KeyValueStore[] = [];

  /**
   * @param precision to decode in, whatever the model is trained in
   * @param candidates what translations of a source are made of; by default all of the target dictionary
   */
  constructor(model: Transformer, precision: Precision = 'float32', candidates?: Candidates) {
    this.model = model;
    this.precision = precision;
    this.candidates = candidates;
  }

  /** Entries of the target dictionary. */
  get vocabularySize(): number {
    return this.model.vocabulary.target;
  }

  /** Encodes sentences that end in `</s>`; at the start there is one row for each sentence, in their order. */
  start(sources: Packed): IncrementalState {
    const { model, precision, prepared, spare, candidates } = this;
    return new IncrementalState(model, precision, prepared, spare, sources, candidates);
  }

  /** Releases what it made of the weights, and the memory that batches have used; the model stays. */
  dispose(): void {
    this.prepared.dispose();
    for (const store of this.spare.splice(0)) store.dispose();
  }
}

/** One live hypothesis. */
interface Row {
  /** Place of its sentence in the batch. */
  sentence: number;
  /** Places of the source's keys. */
  source: Int32Array;
  /** Places of the keys of what was fed so far, in their order. */
  past: number[];
}

/**
 * The rows of one batch between two steps. All rows are equally long. A place in the stores holds the keys and
 * values of one fed token; rows with a common past share its places.
 */
export class IncrementalState {
  private readonly model: Transformer;
  private readonly pass: Pass;
  /** Keys and values of the encoder's output, a store for each layer. */
  private readonly source: KeyValueStore[];
  private readonly past: KeyValueStore[];
  private readonly spare: KeyValueStore[];
  private readonly output: PreparedLinear | RestrictedOutput;
  private rows: Row[];
  /** Tokens fed to each row. */
  private length = 0;
  /** Places in use or free below this one. */
  private places = 0;
  /** Of the last step: [rows, V], or of what each row's sentence may have. */
  private logits: tf.Tensor2D | undefined;

  /** @param spare stores to use, and to give back at the end */
  constructor(
    model: Transformer,
    precision: Precision,
    prepared: PreparedLinears,
    spare: KeyValueStore[],
    { tokens, offsets }: Packed,
    candidates?: Candidates,
  ) {
    const { layers } = model.config.decoder;
    const store = () => spare.pop() ?? new KeyValueStore(model.config.embedDim);
    const stores = () => Array.from({ length: layers }, store);
    this.model = model;
    this.spare = spare;
    this.pass = model.pass({ training: null, prepared }, precision);
    this.source = stores();
    this.past = stores();
    this.rows = Array.from({ length: offsets.length - 1 }, (_, i) => ({
      sentence: i,
      source: Int32Array.from({ length: offsets[i + 1] - offsets[i] }, (_, j) => offsets[i] + j),
      past: [],
    }));
    const sourceOf = ({ sentence }: Row) => tokens.subarray(offsets[sentence], offsets[sentence + 1]);
    this.output =
      candidates === undefined
        ? prepared.get('output', () => new PreparedLinear(model.outputWeight(), null, precision))
        : new RestrictedOutput(
            model.outputWeight(),
            this.rows.map((row) => candidates(sourceOf(row))),
            precision,
          );
    tf.tidy(() => this.storeSources(finishReleasing(model.encoderSteps({ tokens, offsets }, this.pass))));
  }

  /**
   * Feeds one token to each row and asks what may follow.
   *
   * @param tokens the last token of each row, [rows]
   * @param k how many continuations to return for each row
   * @param forbid ids that are not returned; they keep their share of the probability
   */
  async step(tokens: Int32Array, k: number, forbid: readonly number[]): Promise<TopLogProbs> {
    const { output } = this;
    const sentences = Int32Array.from(this.rows, ({ sentence }) => sentence);
    this.logits?.dispose();
    this.logits = tf.tidy(() => {
      const hidden = this.hidden(tokens);
      return output instanceof RestrictedOutput
        ? output.apply(hidden, sentences, k + forbid.length)
        : output.apply(hidden);
    });
    // Special symbols have their own ids among those of a sentence, too: forbidden ones and `</s>` are found by them.
    const top = await topLogProbs(this.logits, k, forbid);
    if (!(output instanceof RestrictedOutput)) return top;
    return { ...top, ids: top.ids.map((place, i) => output.idAt(sentences[Math.floor(i / k)], place)) };
  }

  /** Natural log-probability of `</s>` as the next token of some rows, after a step; [rows.length]. */
  async endLogProbs(rows: Int32Array): Promise<Float32Array> {
    const logits = tf.tidy(() => tf.gather(this.logits!, tf.tensor1d(rows, 'int32')));
    try {
      return await logProbsOf(logits, EOS);
    } finally {
      logits.dispose();
    }
  }

  /** Makes row i a copy of what row `rows[i]` was. */
  select(rows: Int32Array): void {
    this.rows = Array.from(rows, (row) => ({ ...this.rows[row], past: [...this.rows[row].past] }));
    const alive = new Set(this.rows.flatMap(({ past }) => past));
    if (2 * alive.size < this.places) this.compact(alive);
  }

  dispose(): void {
    this.logits?.dispose();
    if (this.output instanceof RestrictedOutput) this.output.dispose();
    this.spare.push(...this.source.splice(0), ...this.past.splice(0));
  }

  private storeSources(memory: tf.Tensor2D): void {
    this.source.forEach((store, index) => {
      const prefix = `decoder.layers.${index}.encoder_attn.`;
      const [keys, values] = project(this.pass, prefix, ['k', 'v'], memory);
      store.put(0, keys, values);
    });
  }

  /** Feeds the tokens to the decoder. @returns its output, [rows, d] */
  private hidden(tokens: Int32Array): tf.Tensor2D {
    const first = this.places;
    this.rows.forEach(({ past }, row) => {
      past.push(first + row);
    });
    this.places += tokens.length;
    const { pass, model } = this;
    const [past, source] = [
      seenBy(this.rows.map((row) => row.past)),
      seenBy(this.rows.map((row) => row.source)),
    ];
    let hidden = embed(pass, 'decoder', tokens, new Int32Array(tokens.length).fill(this.length++));
    for (let index = 0; index < model.config.decoder.layers; index++) {
      const attend = {
        self: this.selfAttention(this.past[index], first, past),
        encoder: this.encoderAttention(this.source[index], source),
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

  /** Moves the places that are alive to the front, so that the stores stay about as large as what they hold. */
  private compact(alive: ReadonlySet<number>): void {
    const places = Int32Array.from(alive).sort();
    const moved = new Map(Array.from(places, (from, to) => [from, to]));
    for (const store of this.past) store.compact(places);
    for (const row of this.rows) row.past = row.past.map((place) => moved.get(place)!);
    this.places = places.length;
  }
}
