import { EOS, UNK } from '../../data/dictionary.js';
import type { BatchLimits } from '../length-batches.js';
import type { LineCodec } from '../text-codec.js';
import { type Alignment, type AlignmentUnit, alignmentOf, strongest } from './alignment.js';
import { attentionOfPairs, type ForcedAttention, type IdPair } from './attention.js';
import { replacements } from './replace-unknown.js';
import { type Units, unitsOf } from './units.js';

export interface AlignerOptions extends BatchLimits {
  /** Longest decoder input of the model; what is longer is not aligned. */
  maxPositions: number;
  /** Whether all translations get an alignment; those with `<unk>` that is replaced have it anyway. */
  all: boolean;
  unit: AlignmentUnit;
  /** Target phrases by source words: `<unk>` becomes one of them, or a source word; null leaves it. */
  unknown: ReadonlyMap<string, string> | null;
}

/** A line with its translations; ids of what is blank may be none. */
export interface AlignedLine {
  text: string;
  /** Source ids as the models got them: those of the first end in the first `</s>`. */
  ids: Int32Array;
  /** Target ids of each translation, `</s>` at the end. */
  targets: readonly (readonly number[])[];
}

/** What an alignment adds to a translation. */
export interface Aligned {
  /** Its text, where `<unk>` was replaced. */
  text?: string;
  alignment?: Alignment;
}

/** Aligns translations with what they are of, by a pass of the model over both. */
export class Aligner {
  private readonly attention: ForcedAttention;
  private readonly codec: LineCodec;
  private readonly options: AlignerOptions;

  constructor(attention: ForcedAttention, codec: LineCodec, options: AlignerOptions) {
    this.attention = attention;
    this.codec = codec;
    this.options = options;
  }

  /** @returns for each line what each of its translations gets */
  async align(lines: readonly AlignedLine[]): Promise<Aligned[][]> {
    const found = lines.map(({ targets }) => targets.map((): Aligned => ({})));
    const wanted = lines.flatMap((line, i) =>
      line.targets.flatMap((target, n) =>
        line.ids.length > 0 && this.wants(target) ? [{ line, target, i, n }] : [],
      ),
    );
    const pairs = wanted.map(({ line: { ids }, target }): IdPair => {
      return { source: ids.subarray(0, ids.indexOf(EOS) + 1), target: Int32Array.from(target) };
    });
    const matrices = await attentionOfPairs(pairs, this.attention, this.options);
    const sources = new Map<AlignedLine, Units>();
    wanted.forEach(({ line, target, i, n }, place) => {
      const source = sources.get(line) ?? this.sourceUnits(line.text, pairs[place].source.length - 1);
      sources.set(line, source);
      const best = strongest(matrices[place]);
      const fills = this.replaces(target)
        ? replacements(target, best, source, this.codec, this.options.unknown!)
        : undefined;
      found[i][n] = {
        ...(fills !== undefined && { text: this.codec.decode(target, fills) }),
        ...(this.options.all && {
          alignment: alignmentOf(
            matrices[place],
            best,
            source,
            this.targetUnits(target, fills),
            this.options.unit,
          ),
        }),
      };
    });
    return found;
  }

  private wants(target: readonly number[]): boolean {
    const { all, maxPositions } = this.options;
    const possible = target.length > 0 && target.length <= maxPositions;
    return possible && (all || this.replaces(target));
  }

  private replaces(target: readonly number[]): boolean {
    return this.options.unknown !== null && target.includes(UNK);
  }

  /** @param count of pieces that the model has read */
  private sourceUnits(text: string, count: number): Units {
    const pieces = this.codec.sourcePieces(text).slice(0, count);
    return unitsOf(pieces, (first) => this.codec.sourceText(pieces.slice(0, first)));
  }

  private targetUnits(ids: readonly number[], fills: readonly string[] | undefined): Units {
    const pieces = this.codec.targetTokens(ids).slice(0, -1);
    return unitsOf(pieces, (first) => this.codec.decode([...ids.slice(0, first), EOS], fills));
  }
}
