import { DivergenceError } from '../../common/errors.js';
import type { TrainConfig } from '../../config/schema.js';
import type { Batch } from '../../data/batch.js';
import type { PairSource, Resegment } from '../../data/batch-iterator.js';
import type { EpochPlan } from '../../data/epoch-plan.js';
import { measureDependency } from '../../model/dependency.js';
import { findNonFinite } from '../../model/non-finite.js';
import type { Transformer } from '../../model/transformer.js';
import { globalNormValue } from '../../ops/optimizer.js';
import type { ReadFigures } from '../meter.js';
import { adviceFrom } from './advice.js';
import { type Diagnosis, type Facts, measureNorms } from './facts.js';
import { describeAdvice, describeDiagnosis, REPORT_FILES, type Report, writeReport } from './report.js';
import { type DoctorState, extend } from './state.js';
import { unigramLoss } from './unigram.js';
import { PATIENCE, type SilentFailure, WINDOW, watch } from './watch.js';

export interface DoctorOptions {
  config: TrainConfig;
  seed: number;
  runDirectory: string;
  train: PairSource;
  resegment?: Resegment;
}

/** An update that is done, skipped or not. */
export interface Case {
  /** Its number, from 1. */
  update: number;
  lr: number;
  figures: ReadFigures;
  /** What its loss was multiplied by, under float16. */
  lossScale?: number;
  batches: readonly Batch[];
  /** Pairs of all batches of the epoch, and how to read them. */
  plan: EpochPlan;
  read: (indices: Int32Array) => Batch;
}

/** What goes into metrics.jsonl as `event: doctor`, place aside. */
export interface DoctorEvent {
  finding: 'skipped' | 'overflow' | 'rollback' | SilentFailure;
  [figure: string]: unknown;
}

/** What came of looking at an update. */
export interface Examination {
  state: DoctorState;
  events: DoctorEvent[];
  warnings: string[];
  /** Too many bad updates in a row: training goes back, or ends with this report. */
  givenUp: Report | null;
}

/**
 * Watches a run: finds out why an update was skipped, recognises losses that are stuck, and says when to give up. What
 * it decides is a function of its state, the updates, and the weights.
 */
export class Doctor {
  private readonly options: DoctorOptions;
  private readonly model: Transformer;
  private unigram: number | undefined;

  constructor(options: DoctorOptions, model: Transformer) {
    this.options = options;
    this.model = model;
  }

  /** Looks at an update right after it, while the weights are those that it was computed with, if it was skipped. */
  async examine(before: DoctorState, seen: Case): Promise<Examination> {
    const { figures, update, lossScale } = seen;
    const overflow = lossScale !== undefined && isOverflow(figures);
    const bad = !figures.finite && !overflow;
    const { state: watched, failure } = watch(
      before.watch,
      figures,
      update,
      this.options.config.warmupUpdates,
      () => this.unigramLoss(),
    );
    const state: DoctorState = {
      ...before,
      cameFrom: null,
      skipped: before.skipped + (bad ? 1 : 0),
      inARow: figures.finite ? 0 : before.inARow + (bad ? 1 : 0),
      history: extend(before.history, update, figures),
      watch: watched,
    };
    const examination: Examination = { state, events: [], warnings: [], givenUp: null };
    if (before.cameFrom !== null) {
      const { rollbacks, lrFactor } = before;
      examination.events.push({ finding: 'rollback', from: before.cameFrom, rollbacks, lr_factor: lrFactor });
    }
    if (overflow) examination.events.push({ finding: 'overflow', loss_scale: lossScale });
    if (bad) await this.examineSkipped(examination, seen);
    if (failure !== null) await this.examineSilent(examination, seen, failure);
    return examination;
  }

  /** Whether the weights are worth saving. */
  async weightsAreFinite(): Promise<boolean> {
    return Number.isFinite(await globalNormValue([...this.model.weights.values()]));
  }

  /** Writes the report of a training that ends here. @returns what to throw */
  giveUp(report: Report): DivergenceError {
    const { runDirectory } = this.options;
    const text = writeReport(runDirectory, report);
    return new DivergenceError(
      `${text}\nThe last checkpoint is kept. All of this and more is in ${REPORT_FILES.json} and ${REPORT_FILES.text} in ${runDirectory}.`,
    );
  }

  /** The first of a row is explained; the last one that is borne ends it. */
  private async examineSkipped(examination: Examination, seen: Case): Promise<void> {
    const { state, events, warnings } = examination;
    const { maxSkippedUpdates } = this.options.config;
    if (state.inARow > 1 && state.inARow < maxSkippedUpdates) return;
    const diagnosis = await this.diagnose(seen);
    if (state.inARow === 1) {
      const { cause, first, pairs } = diagnosis;
      const { place, ...rest } = first ?? { place: null };
      events.push({ finding: 'skipped', cause, ...place, ...rest, pairs });
      const why = `its loss or gradient is not finite: ${describeDiagnosis(diagnosis)}`;
      warnings.push(`Update ${seen.update} is skipped, ${why}`);
    }
    if (state.inARow < maxSkippedUpdates) return;
    examination.givenUp = {
      summary: `training diverged: loss or gradient of ${state.inARow} updates in a row, the last of them update ${seen.update}, is not finite`,
      facts: await this.gather('non-finite', seen, state, diagnosis),
    };
  }

  private async examineSilent(
    { state, events, warnings }: Examination,
    seen: Case,
    { kind, nll }: { kind: SilentFailure; nll: number },
  ): Promise<void> {
    const facts = await this.gather(kind, seen, state, null);
    const advice = adviceFrom(facts);
    events.push({ finding: kind, nll_loss: nll, unigram: facts.unigram, best: state.watch.best, advice });
    warnings.push(
      [describeFailure(kind, nll, facts.unigram!, state.watch.best!), ...describeAdvice(advice)].join('\n  '),
    );
  }

  private async gather(
    failure: Facts['failure'],
    { update, lr, batches, figures }: Case,
    { history }: DoctorState,
    diagnosis: Diagnosis | null,
  ): Promise<Facts> {
    const { config, seed } = this.options;
    const [batch] = batches;
    const training = { seed, step: (update - 1) * config.updateFreq };
    return {
      ...{ failure, update, lr, diagnosis, history, tokens: figures.tokens },
      unigram: failure === 'non-finite' ? null : this.unigramLoss(),
      norms: await measureNorms(this.model, batch, config.labelSmoothing, training),
      dependencies: await measureDependency(this.model, batch),
      ...{ train: config, model: this.model.config },
    };
  }

  private unigramLoss(): number {
    const { config, train, resegment } = this.options;
    const { target } = this.model.vocabulary;
    this.unigram ??= unigramLoss(train, target, config.labelSmoothing, resegment);
    return this.unigram;
  }

  /** Does the batches again, with the masks that they had, until one fails. */
  private async diagnose({ update, batches, plan, read }: Case): Promise<Diagnosis> {
    const { config, seed } = this.options;
    for (const [i, batch] of batches.entries()) {
      const training = { seed, step: (update - 1) * config.updateFreq + i };
      const first = await findNonFinite(this.model, batch, config.labelSmoothing, training);
      if (first === null) continue;
      const pairs = [...batch.indices];
      if (first.what === 'weight') return { cause: 'weight', first, pairs };
      const other = referenceOf(plan, batches);
      if (other === undefined) return { cause: 'unknown', first, pairs };
      const fails = (await findNonFinite(this.model, read(other), config.labelSmoothing, training)) !== null;
      return { cause: fails ? 'model' : 'batch', first, pairs };
    }
    return { cause: 'unknown', first: null, pairs: batches.flatMap(({ indices }) => [...indices]) };
  }
}

/** Under a scale of the loss such an update is nothing to worry about: the scale was too large. */
function isOverflow({ finite, loss }: ReadFigures): boolean {
  return !finite && Number.isFinite(loss);
}

/** The first batch of the epoch, or the last where the first is among these. */
function referenceOf(plan: EpochPlan, batches: readonly Batch[]): Int32Array | undefined {
  const firsts = new Set(batches.map(({ indices }) => indices[0]));
  return [plan.batch(0), plan.batch(plan.length - 1)].find(([first]) => !firsts.has(first));
}

function describeFailure(kind: SilentFailure, nll: number, unigram: number, best: number): string {
  const span = `over the last ${PATIENCE * WINDOW} updates`;
  const bits = `${nll.toFixed(2)} bits a token`;
  const guessing = `${unigram.toFixed(2)} bits, what the frequencies of words alone would give`;
  switch (kind) {
    case 'plateau':
      return `The loss is stuck at ${bits} ${span}, about ${guessing}: the model has not learned to look at its input.`;
    case 'above-plateau':
      return `The loss stays at ${bits} ${span}, above ${guessing}: the model is worse than guessing.`;
    case 'spike':
      return `The loss was ${best.toFixed(2)} bits a token at its best and has not come back from ${bits} ${span}.`;
  }
}
