import { type ChosenBackend, initBackend } from '../backend/init.js';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import type { DecodingPrecision } from '../common/precision.js';
import type { DecodeConfig } from '../config/schema.js';
import type { Batch } from '../data/batch.js';
import type { AttentionChoice, AttentionMatrix } from '../model/attention-matrix.js';
import { ForcedDecoder } from '../model/forced-decoder.js';
import { IncrementalDecoder } from '../model/incremental.js';
import { PreparedLinears } from '../model/pass.js';
import { decoderOf, type SharedDecoder, shareModel } from '../model/shared-decoder.js';
import type { Transformer } from '../model/transformer.js';
import { type MatrixElements, matrixElements } from '../model/work.js';
import { ContinuousSearch, laneOf } from './continuous-search.js';
import { EnsembleModel } from './ensemble.js';
import type { BatchLimits } from './length-batches.js';
import type { SearchOptions } from './search.js';
import { type SearchAll, searchWith } from './sentence-queue.js';
import type { Shortlist } from './shortlist.js';
import type { StepModel } from './step-model.js';
import { jobOf, Streams } from './streams.js';

/** A model that translates sentences, on one stream or on several, as the work is worth. */
export interface DecodingEngine {
  search: SearchAll;
  /**
   * Begins to translate sentences that come one by one, on the threads that there are for streams; it ends with the engine.
   *
   * @param heeding whether it heeds wishes, for which it asks for whole distributions
   */
  searchAsTheyCome(options: SearchOptions & BatchLimits, heeding?: boolean): ContinuousSearch;
  /** What target tokens attend to in the source; that of the first model of an ensemble. */
  attention(batch: Batch, choice: AttentionChoice): Promise<AttentionMatrix[]>;
  dispose(): void;
}

/** A model that is asked token by token, and of whole translations. */
interface OpenDecoder {
  decoder: IncrementalDecoder;
  forced: ForcedDecoder;
  dispose: () => void;
}

/** Products of matrix elements below which further streams cost more, for their start, than they save. */
const LEAST_WORK = 5e10;
/** Fewer sentences for each stream would leave their batches nearly empty. */
const LEAST_SENTENCES = 16;

export interface EngineOptions extends Pick<DecodeConfig, 'precision' | 'streams' | 'beam'> {
  shortlist: Shortlist | null;
  /** Sentences to translate, where that is known: threads that they are worth are started at once. */
  expected?: number;
}

/** @throws UserError where the backend cannot have so many */
export function settleStreams({ name, threads }: ChosenBackend, streams: number | null): void {
  if (streams === null || streams === 1) return;
  const where = 'decode.streams';
  if (name !== 'native')
    throw new UserError({
      problem: `several streams need the native backend; found ${name}`,
      where,
      hint: 'Set decode.streams to 1, or use --backend native.',
    });
  if (streams > threads)
    throw new UserError({
      problem: `expected at most as many streams as threads, found ${streams} and ${threads}`,
      where,
      hint: `Each takes one thread: use --threads ${streams}, or fewer streams.`,
    });
}

/**
 * Loads a model and makes it ready to translate.
 *
 * @param load gives the model, which this takes over
 */
export async function openEngine(
  backend: ChosenBackend,
  load: () => Transformer,
  { precision, streams, beam, shortlist, expected = 0 }: EngineOptions,
): Promise<DecodingEngine> {
  if (backend.name !== 'native') {
    const { decoder, forced, dispose } = plainDecoder(load(), precision, shortlist);
    return engineOf(decoder, forced, dispose);
  }
  const most = streams ?? backend.threads;
  const forced = streams !== null;
  const begin = most > 1 && (forced || expected >= LEAST_SENTENCES * most);
  const begun = begin ? new Streams(most) : undefined; // threads start while the model is loaded
  try {
    const model = load();
    const shared = await shareModel(model, precision, shortlist !== null);
    model.dispose();
    backend.memory?.trim();
    const elements = matrixElements(shared.config, shared.vocabulary);
    return new NativeEngine(backend, shared, shortlist, { most, forced, beam, elements }, begun);
  } catch (error) {
    await begun?.dispose();
    throw error;
  }
}

/**
 * Loads models and makes them ready to translate together, on one stream: a step of it has the work of several, and wants
 * all threads.
 *
 * @param loads give the models, which this takes over
 */
export async function openEnsemble(
  backend: ChosenBackend,
  loads: readonly (() => Transformer)[],
  {
    precision,
    ensembleAverage,
    ensembleWeights,
  }: Pick<DecodeConfig, 'precision' | 'ensembleAverage' | 'ensembleWeights'>,
): Promise<DecodingEngine> {
  const members: OpenDecoder[] = [];
  for (const load of loads) members.push(await openMember(backend, load(), precision));
  const by = ensembleWeights.length === 0 ? '' : ` by ${ensembleWeights.join(', ')}`;
  log.info(`Ensemble: ${members.length} models, their ${ensembleAverage} averaged${by}, on one stream`);
  const decoders = members.map(({ decoder }) => decoder);
  const averaging = { average: ensembleAverage, weights: ensembleWeights };
  return engineOf(new EnsembleModel(decoders, averaging), members[0].forced, () => {
    for (const member of members) member.dispose();
  });
}

async function openMember(
  { name, memory }: ChosenBackend,
  model: Transformer,
  precision: DecodingPrecision,
): Promise<OpenDecoder> {
  if (name !== 'native') return plainDecoder(model, precision, null);
  const shared = await shareModel(model, precision, false);
  model.dispose();
  memory?.trim();
  return decoderOf(shared);
}

function plainDecoder(
  model: Transformer,
  precision: DecodingPrecision,
  shortlist: Shortlist | null,
): OpenDecoder {
  const prepared = new PreparedLinears();
  const decoder = new IncrementalDecoder(model, precision, shortlist?.candidates.bind(shortlist), prepared);
  const forced = new ForcedDecoder(model, precision, prepared);
  const dispose = (): void => {
    decoder.dispose();
    model.dispose();
  };
  return { decoder, forced, dispose };
}

/** A model that translates on this thread alone. */
function engineOf(model: StepModel, forced: ForcedDecoder, dispose: () => void): DecodingEngine {
  const searchAsTheyCome: DecodingEngine['searchAsTheyCome'] = (options, heeding) =>
    new ContinuousSearch([laneOf(model, options, heeding)], options);
  const attention: DecodingEngine['attention'] = (batch, choice) => forced.attention(batch, choice);
  return { search: searchWith(model), searchAsTheyCome, attention, dispose };
}

interface Plan {
  most: number;
  /** Whether that many are asked for, whatever the work. */
  forced: boolean;
  beam: number;
  elements: MatrixElements;
}

/** Numbers lie in memory that threads share, linear maps in packed form alone. */
class NativeEngine implements DecodingEngine {
  private readonly backend: ChosenBackend;
  private readonly shared: SharedDecoder;
  private readonly shortlist: Shortlist | null;
  private readonly plan: Plan;
  private readonly own: ReturnType<typeof decoderOf>;
  private streams: Streams | undefined;
  private lanes: Streams | undefined;

  constructor(
    backend: ChosenBackend,
    shared: SharedDecoder,
    shortlist: Shortlist | null,
    plan: Plan,
    begun: Streams | undefined,
  ) {
    this.backend = backend;
    this.shared = shared;
    this.shortlist = shortlist;
    this.plan = plan;
    this.own = decoderOf(shared, shortlist?.candidates.bind(shortlist));
    if (begun !== undefined) this.streams = this.opened(begun);
  }

  readonly search: SearchAll = async (sources, options, found, wishes) => {
    const { decoder } = this.own;
    const { most, forced } = this.plan;
    const several = forced
      ? most > 1
      : paysSeveral(sources, { ...this.plan, running: this.streams !== undefined });
    await initBackend('native', several ? 1 : this.backend.threads);
    if (!several) return searchWith(decoder)(sources, options, found, wishes);
    this.streams ??= this.opened(new Streams(most));
    await this.streams.search(decoder, sources, options, found, wishes);
  };

  /** This thread hears of sentences, and answers: those that compute are others. */
  searchAsTheyCome(options: SearchOptions & BatchLimits, heeding = false): ContinuousSearch {
    const { most } = this.plan;
    if (this.lanes === undefined) {
      this.lanes = new Streams(most + 1);
      this.lanes.open({ shared: this.shared, shortlist: this.shortlist?.parts ?? null });
    }
    return new ContinuousSearch(this.lanes.lanes(options, heeding), jobOf(options, most));
  }

  async attention(batch: Batch, choice: AttentionChoice): Promise<AttentionMatrix[]> {
    await initBackend('native', this.backend.threads);
    return this.own.forced.attention(batch, choice);
  }

  private opened(streams: Streams): Streams {
    streams.open({ shared: this.shared, shortlist: this.shortlist?.parts ?? null });
    log.info(`Streams: ${streams.count}, each on one thread`);
    return streams;
  }

  dispose(): void {
    void this.streams?.dispose();
    void this.lanes?.dispose();
    this.own.dispose();
  }
}

/** Whether sentences are worth several streams. */
export function paysSeveral(
  sources: readonly Int32Array[],
  {
    elements,
    beam,
    most,
    running,
  }: { elements: MatrixElements; beam: number; most: number; running: boolean },
): boolean {
  if (most === 1 || sources.length < LEAST_SENTENCES * most) return false;
  const tokens = sources.reduce((sum, { length }) => sum + length, 0);
  return running || tokens * (elements.source + beam * elements.target) >= LEAST_WORK;
}
