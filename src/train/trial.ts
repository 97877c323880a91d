import process from 'node:process';
import type { TensorMemory } from '../backend/init.js';
import { finishNow } from '../common/pieces.js';
import type { Config } from '../config/schema.js';
import { type PairSource, type Resegment, readBatch } from '../data/batch-iterator.js';
import { lengthsOfEpoch } from '../data/corpus-mix.js';
import { orderOfBatches, planBytes, planEpoch } from '../data/epoch-plan.js';
import type { Guidance } from '../model/guided-alignment.js';
import type { Transformer } from '../model/transformer.js';
import { tf } from '../ops/tf.js';
import { RING_BYTES } from './checkpoint-ring.js';
import { batchBytes } from './epoch-batches.js';
import { listsHeld, MOST_PARTS } from './gradient-tree.js';
import { cutPairs, firstEpoch } from './split.js';
import { Updater } from './update.js';

/** Bytes by which the JavaScript heap was seen to grow in a few hundred updates: garbage between two collections, code. */
const HEAP_GROWTH = 32 * 2 ** 20;

export interface TrialOptions {
  config: Config['train'];
  seed: number;
  maxPositions: number;
  train: PairSource;
  resegment?: Resegment;
  guidance?: Guidance | null;
  /** Null where the backend does not tell. */
  memory: TensorMemory | null;
  /** Translates what takes most memory in a validation, where validation translates. */
  translate?: (model: Transformer) => Promise<void>;
}

/** Most bytes that are held while it translates: of tensors, and by the rest of the process where they are in it. */
interface Translation {
  tensors: number;
  rest: number;
}

/** A batch, and the tokens of both sides. */
export interface SizedBatch {
  /** Pairs of the lengths that it has: what an update of them takes is the same. */
  pairs: () => Int32Array;
  tokens: number;
  targetTokens: number;
}

/** Updates done as training would do them, to see what they take. The model is no longer what it was. */
export class Trial {
  private readonly model: Transformer;
  private readonly options: TrialOptions;
  private readonly updater: Updater;
  private updates = 0;
  private translation: Translation | undefined;

  /** @param model owned by the caller */
  constructor(model: Transformer, options: TrialOptions) {
    this.model = model;
    this.options = options;
    model.precision = options.config.precision;
    model.recompute = options.config.recompute;
    model.guidance = options.guidance ?? null;
    this.updater = new Updater(model, { ...options.config, seed: options.seed });
  }

  /** The batches of the first epoch, the largest first. */
  plan(maxTokens: number): SizedBatch[] {
    const { options, cuts } = this.cut(maxTokens);
    return Array.from(orderOfBatches(cuts, options), (cut) => {
      const targetTokens = cuts.targetTokens[cut];
      const tokens = cuts.sourceTokens[cut] + targetTokens;
      return { pairs: () => cuts.pairsLike(cut), targetTokens, tokens };
    }).sort((a, b) => b.tokens - a.tokens);
  }

  /** Tokens of each batch of the first epoch, in its order. */
  tokensInOrder(maxTokens: number): Int32Array {
    const { options, cuts } = this.cut(maxTokens);
    return orderOfBatches(cuts, options).map((cut) => cuts.sourceTokens[cut] + cuts.targetTokens[cut]);
  }

  /** Plans the first epoch as training does before each. @returns seconds */
  planningTime(maxTokens: number): number {
    const { options, cuts } = this.cut(maxTokens);
    const started = performance.now();
    finishNow(planEpoch(cuts, options));
    return (performance.now() - started) / 1000;
  }

  private cut(maxTokens: number) {
    const { train, seed, maxPositions, config } = this.options;
    const options = firstEpoch({ maxTokens, batchBy: config.batchBy, maxPositions, seed });
    return { options, cuts: cutPairs('train', lengthsOfEpoch(train, options), options) };
  }

  /**
   * An update of this batch, so many times over.
   *
   * @param count by default twice where more than one makes an update: what further ones take is counted, see `furtherLists`
   * @returns seconds
   */
  async update({ pairs }: SizedBatch, count = Math.min(this.batchesOfUpdate, 2)): Promise<number> {
    const { config, train, maxPositions, resegment } = this.options;
    const indices = pairs();
    const started = performance.now();
    const batches = Array.from({ length: count }, () =>
      readBatch(train, indices, { epoch: 1, maxPositions }, resegment),
    );
    const { loss, nll, gradientNorm } = this.updater.apply(batches, this.updates++, config.lr);
    await gradientNorm.data(); // the update is done when its figures are there
    tf.dispose([loss, nll, gradientNorm]);
    return (performance.now() - started) / 1000;
  }

  /**
   * Does an update of the largest batch.
   *
   * @returns the most bytes that are going to be held in a training with batches of at most so many tokens: tensors of
   *   training or of translation, whichever are more; where they lie in the memory of the process, the rest of that and
   *   what a checkpoint takes on its way to the disk, too
   */
  async measure(maxTokens: number): Promise<number> {
    const [largest] = this.plan(maxTokens);
    const memory = this.options.memory!;
    this.translation ??= await this.translate(memory);
    memory.resetPeak();
    await this.update(largest);
    const { config } = this.options;
    const ema = config.emaDecay === null ? 0 : 4 * this.model.size;
    const tensors = ema + Math.max(memory.peak + this.furtherLists, this.translation.tensors);
    if (memory.ofCard) return tensors;
    // What translating left in the process is in both figures, so they are not added.
    const most = Math.max(besides(memory), this.translation.rest);
    const rest = restFor(this.options.train, most + planBytes(this.options.train) + HEAP_GROWTH);
    const saving = Math.min(RING_BYTES, checkpointBytes(this.model, config));
    return rest + tensors + saving + this.bytesRead(maxTokens);
  }

  dispose(): void {
    this.updater.dispose();
  }

  private async translate(memory: TensorMemory): Promise<Translation> {
    const { translate } = this.options;
    if (translate === undefined) return { tensors: 0, rest: 0 };
    memory.resetPeak();
    await translate(this.model);
    const rest = process.resourceUsage().maxRSS * 1024 - memory.resident;
    return { tensors: memory.peak, rest };
  }

  /** Bytes of the batches that training has read at a time. */
  private bytesRead(maxTokens: number): number {
    const { cuts } = this.cut(maxTokens);
    const total = (tokens: Int32Array): number => tokens.reduce((sum, count) => sum + count, 0);
    const batch = {
      pairs: cuts.starts[cuts.length] / cuts.length,
      sourceTokens: total(cuts.sourceTokens) / cuts.length,
      targetTokens: total(cuts.targetTokens) / cuts.length,
    };
    return batchBytes(batch, this.batchesOfUpdate, cuts.length, this.options.train.pairs !== undefined);
  }

  /** Bytes of the lists of gradients that an update of all its batches holds beyond those of one of two. */
  private get furtherLists(): number {
    const places = this.batchesOfUpdate;
    const held = (batches: number): number => listsHeld(batches, { first: 0, end: places }, places);
    const trained = this.model.trainable.reduce((sum, weight) => sum + weight.size, 0);
    return 4 * trained * (held(places) - held(Math.min(places, 2)));
  }

  /** Where it follows from `batch-tokens` and the batch size that is looked for, as many as take most memory. */
  private get batchesOfUpdate(): number {
    const { batchTokens, updateFreq } = this.options.config;
    return batchTokens === null ? updateFreq : 2 * MOST_PARTS;
  }
}

const rests = new WeakMap<PairSource, number>();

/**
 * Bytes that a training on these data is going to hold besides its tensors: what is found at the first look. How the
 * process grows in trials is how it grows in training, which is counted already: every further look would count it again.
 */
function restFor(train: PairSource, found: number): number {
  const first = rests.get(train) ?? found;
  rests.set(train, first);
  return first;
}

/** Bytes that this process holds besides its tensors. */
function besides({ resident }: TensorMemory): number {
  return process.memoryUsage.rss() - resident;
}

/** Bytes of a checkpoint: weights, both moments of those that are trained, and the moving average where there is one. */
export function checkpointBytes(
  { size, trainable }: Transformer,
  { emaDecay }: Pick<Config['train'], 'emaDecay'>,
): number {
  const trained = trainable.reduce((sum, weight) => sum + weight.size, 0);
  return 4 * (size + 2 * trained + (emaDecay === null ? 0 : size));
}
