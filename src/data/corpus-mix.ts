import { sha256 } from '../common/files.js';
import { Purpose, RandomStream } from '../common/rng.js';
import type { PairSource } from './batch-iterator.js';
import type { PairLengths } from './length-table.js';
import type { ParallelDataset, SentencePair } from './parallel-dataset.js';

/** A training split: one, or several that are mixed. */
export interface TrainingSplit extends PairSource {
  /** Number of pairs. */
  readonly size: number;
  /** Names the content, and how it is mixed. */
  readonly hash: string;
  pairs(indices: Int32Array): Promise<SentencePair[]>;
  close(): void;
}

/** What an epoch has of the pairs of a source: all of them, or what it draws. A function of its arguments alone. */
export function lengthsOfEpoch(
  pairs: PairSource,
  { seed, epoch }: { seed: number; epoch: number },
): PairLengths {
  return pairs.draw?.(seed, epoch) ?? pairs;
}

/**
 * Splits of one dataset that are trained on together. Pairs are numbered through all of them. Each has a weight, how
 * often an epoch has each of its pairs: the whole of it as often in every epoch, and of the rest a part that is drawn
 * anew each time. Nothing is copied: an epoch is a list of indices.
 */
export class CorpusMix implements TrainingSplit {
  readonly sourceLengths: Int32Array;
  readonly targetLengths: Int32Array;
  readonly draw?: (seed: number, epoch: number) => PairLengths;
  private readonly parts: readonly ParallelDataset[];
  private readonly weights: readonly number[];
  /** Where each part starts, and the end of the last. */
  private readonly starts: readonly number[];
  private drawn: { key: string; lengths: PairLengths } | undefined;

  /** @param parts owned by it from now on */
  constructor(parts: readonly ParallelDataset[], weights: readonly number[]) {
    this.parts = parts;
    this.weights = weights;
    const starts = [0];
    for (const { size } of parts) starts.push(starts[starts.length - 1] + size);
    this.starts = starts;
    this.sourceLengths = joined(parts.map(({ sourceLengths }) => sourceLengths));
    this.targetLengths = joined(parts.map(({ targetLengths }) => targetLengths));
    if (weights.some((weight) => weight !== 1)) this.draw = (seed, epoch) => this.drawAt(seed, epoch);
  }

  get size(): number {
    return this.sourceLengths.length;
  }

  get hash(): string {
    return sha256(JSON.stringify(this.parts.map(({ hash }, i) => [hash, this.weights[i]])));
  }

  pair(index: number): SentencePair {
    const part = this.partOf(index);
    return this.parts[part].pair(index - this.starts[part]);
  }

  async pairs(indices: Int32Array): Promise<SentencePair[]> {
    const places = this.parts.map((): number[] => []);
    indices.forEach((index, i) => {
      places[this.partOf(index)].push(i);
    });
    const found = new Array<SentencePair>(indices.length);
    await Promise.all(
      this.parts.map(async (part, at) => {
        if (places[at].length === 0) return;
        const own = Int32Array.from(places[at], (i) => indices[i] - this.starts[at]);
        const read = await part.pairs(own);
        read.forEach((pair, i) => {
          found[places[at][i]] = pair;
        });
      }),
    );
    return found;
  }

  close(): void {
    for (const part of this.parts) part.close();
  }

  private partOf(index: number): number {
    let part = 0;
    while (index >= this.starts[part + 1]) part++;
    return part;
  }

  /** What was drawn last is kept: it is asked for again, and where nothing is drawn anew it serves every epoch. */
  private drawAt(seed: number, epoch: number): PairLengths {
    const key = this.weights.every(Number.isInteger) ? '' : `${seed} ${epoch}`;
    if (this.drawn?.key === key) return this.drawn.lengths;
    const counts = this.parts.map(({ size }, i) => Math.max(1, Math.round(this.weights[i] * size)));
    const indices = new Int32Array(counts.reduce((sum, count) => sum + count, 0));
    let at = 0;
    this.parts.forEach(({ size }, part) => {
      const stream = new RandomStream({ seed, step: epoch, purpose: Purpose.mixture, site: part });
      drawPart(indices.subarray(at, at + counts[part]), this.starts[part], size, stream);
      at += counts[part];
    });
    const lengths: PairLengths = {
      indices,
      sourceLengths: indices.map((index) => this.sourceLengths[index]),
      targetLengths: indices.map((index) => this.targetLengths[index]),
    };
    this.drawn = { key, lengths };
    return lengths;
  }
}

/**
 * Weights that even sizes out (Arivazhagan et al. 2019, arXiv:1907.05019): of an epoch, which keeps its number of pairs,
 * each corpus has a share in proportion to n^(1/T), where n is what it has of it by its own weight.
 *
 * @param sizes pairs of each corpus
 * @param temperature T, from 1 (nothing changes) on; all shares are equal in the end
 */
export function atTemperature(
  weights: readonly number[],
  sizes: readonly number[],
  temperature: number,
): readonly number[] {
  if (temperature === 1) return weights;
  const counts = weights.map((weight, i) => weight * sizes[i]);
  const shares = counts.map((count) => count ** (1 / temperature));
  const [pairs, whole] = [counts, shares].map((list) => list.reduce((sum, value) => sum + value, 0));
  return shares.map((share, i) => (pairs * share) / whole / sizes[i]);
}

/** Fills `drawn` with pairs start, …, start + size − 1: all of them while there is room, then some, no one twice. */
function drawPart(drawn: Int32Array, start: number, size: number, stream: RandomStream): void {
  let at = 0;
  for (; drawn.length - at >= size; at += size) for (let i = 0; i < size; i++) drawn[at + i] = start + i;
  for (let i = 0, wanted = drawn.length - at; wanted > 0; i++) {
    if (stream.nextUniform() * (size - i) >= wanted) continue;
    drawn[at++] = start + i;
    wanted--;
  }
}

function joined(lists: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}
