import { type Batch, type Packed, pack } from '../data/batch.js';
import { EOS } from '../data/dictionary.js';
import { selectTop } from '../ops/top-log-probs.js';
import type { ForcedLogProbs } from './forced-scores.js';
import type { Continuations, StepModel, StepState } from './step-model.js';

/** What the members of an ensemble are averaged in: their probabilities, or the logarithms of these. */
export type EnsembleAverage = 'prob' | 'log-prob';

/** How the members of an ensemble come to one. */
export interface Averaging {
  average: EnsembleAverage;
  /** How much each counts, above 0; all alike where there are none. */
  weights?: readonly number[];
}

/**
 * Several models that translate as one: what may follow a hypothesis has the mean of the probabilities that they give it. A
 * source is the sources of all members one after another, each ending in `</s>`.
 */
export class EnsembleModel implements StepModel {
  readonly vocabularySize: number;
  private readonly members: readonly StepModel[];
  private readonly averaging: Averaging;

  /** @param members of one target vocabulary */
  constructor(members: readonly StepModel[], averaging: Averaging) {
    this.members = members;
    this.averaging = averaging;
    this.vocabularySize = members[0].vocabularySize;
  }

  /** That of the first member. */
  sourceLength(source: Int32Array): number {
    return source.indexOf(EOS) + 1;
  }

  start(): StepState {
    const states = this.members.map((member) => member.start());
    return new EnsembleState(states, this.vocabularySize, this.averaging);
  }
}

class EnsembleState implements StepState {
  private readonly members: readonly StepState[];
  private readonly vocabularySize: number;
  private readonly averaging: Averaging;

  constructor(members: readonly StepState[], vocabularySize: number, averaging: Averaging) {
    this.members = members;
    this.vocabularySize = vocabularySize;
    this.averaging = averaging;
  }

  add(sources: Packed): void {
    partSources(sources, this.members.length).forEach((own, i) => {
      this.members[i].add(own);
    });
  }

  async distribution(tokens: Int32Array): Promise<Float32Array> {
    const all: Float32Array[] = [];
    for (const member of this.members) all.push(await member.distribution(tokens));
    return meanLogProbs(all, this.averaging);
  }

  async step(tokens: Int32Array, k: number, forbid: readonly number[]): Promise<Continuations> {
    const all = await this.distribution(tokens);
    const size = this.vocabularySize;
    const forbidden = new Set(forbid);
    const ids = new Int32Array(tokens.length * k);
    const endLogProbs = new Float32Array(tokens.length);
    for (let row = 0; row < tokens.length; row++) {
      const own = all.subarray(row * size, (row + 1) * size);
      selectTop(own, k, forbidden, ids.subarray(row * k, (row + 1) * k));
      endLogProbs[row] = own[EOS];
    }
    const logProbs = Float32Array.from(ids, (id, i) => all[Math.floor(i / k) * size + id]);
    return { ids, logProbs, endLogProbs };
  }

  select(rows: Int32Array): void {
    for (const member of this.members) member.select(rows);
  }

  dispose(): void {
    for (const member of this.members) member.dispose();
  }
}

/** The sources of each member. */
function partSources({ tokens, offsets }: Packed, members: number): Packed[] {
  const parts: Int32Array[][] = Array.from({ length: members }, () => []);
  for (let i = 0; i + 1 < offsets.length; i++) {
    splitSource(tokens.subarray(offsets[i], offsets[i + 1])).forEach((part, member) => {
      parts[member].push(part);
    });
  }
  return parts.map(pack);
}

/** The parts of a source that end in `</s>`. */
export function splitSource(source: Int32Array): Int32Array[] {
  const parts: Int32Array[] = [];
  for (let start = 0; start < source.length; ) {
    const end = source.indexOf(EOS, start) + 1;
    parts.push(source.subarray(start, end));
    start = end;
  }
  return parts;
}

/**
 * The logarithm of the mean of probabilities, or the mean of their logarithms, place by place, by weights. The mean of equal numbers is that
 * number to the last bit. Means of logarithms do not sum to 1 as probabilities, and are left so, as Marian has it.
 *
 * @param members natural log-probabilities of each; the first is changed to the mean
 */
export function meanLogProbs(
  members: readonly Float32Array[],
  { average, weights = [] }: Averaging,
): Float32Array {
  const [mean] = members;
  const own = weights.length === 0 ? members.map(() => 1) : weights;
  const count = own.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < mean.length; i++) {
    let most = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let m = 0; m < members.length; m++) {
      most = Math.max(most, members[m][i]);
      sum += own[m] * members[m][i];
    }
    if (average === 'log-prob') mean[i] = sum / count;
    else if (most !== Number.NEGATIVE_INFINITY) {
      let shares = 0;
      for (let m = 0; m < members.length; m++) shares += own[m] * Math.exp(members[m][i] - most);
      mean[i] = most + Math.log(shares / count);
    }
  }
  return mean;
}

/** The scores that several models give together. */
export function forcedEnsemble(members: readonly ForcedLogProbs[], averaging: Averaging): ForcedLogProbs {
  return async (batch: Batch) => {
    const sources = partSources(batch.source, members.length);
    const all: Float32Array[] = [];
    for (const [i, logProbs] of members.entries()) all.push(await logProbs({ ...batch, source: sources[i] }));
    return meanLogProbs(all, averaging);
  };
}
