import { IMPLEMENTATION, SACREBLEU_VERSION, VERSION } from './version.js';

/** One `key:value` of a signature; `short` is the key of the short form. */
export interface SignatureEntry {
  key: string;
  short: string;
  value: string;
}

/** The random draws that figures rest on: bootstrap resamples, trials of approximate randomization, and the seed. */
export interface Resampling {
  bs?: number;
  ar?: number;
  /** null: from the system, so that nobody gets the same draws again. */
  seed: number | null;
}

/**
 * What a reader must know to compute a score again. Keys, short keys and their order are sacreBLEU's; `impl`
 * before the version says that the number comes from this implementation, and the version that its numbers
 * are those of the sacreBLEU named after the plus sign.
 */
export class Signature {
  readonly entries: readonly SignatureEntry[];

  private readonly references: number | 'var';
  private readonly settings: readonly SignatureEntry[];

  /**
   * @param references how many references each segment had, or 'var' where that differs
   * @param settings the entries of the metric itself
   */
  constructor(references: number | 'var', settings: readonly SignatureEntry[]) {
    this.references = references;
    this.settings = settings;
    this.entries = [
      { key: 'nrefs', short: '#', value: String(references) },
      ...settings,
      { key: 'impl', short: 'i', value: IMPLEMENTATION },
      { key: 'version', short: 'v', value: `${VERSION}+sacrebleu.${SACREBLEU_VERSION}` },
    ];
  }

  /** The same, for a score with a confidence or a paired test. */
  withResampling({ bs, ar, seed }: Resampling): Signature {
    const entry = (key: string, short: string, value: number | undefined) =>
      value === undefined ? [] : [{ key, short, value: String(value) }];
    const drawn = [
      ...entry('bs', 'bs', bs),
      ...entry('ar', 'ar', ar),
      { key: 'seed', short: 'rs', value: seed === null ? 'none' : String(seed) },
    ];
    return new Signature(this.references, [...drawn, ...this.settings]);
  }

  /** `nrefs:1|case:mixed|…`, or `#:1|c:mixed|…` in the short form. */
  format(short = false): string {
    return this.entries.map((entry) => `${short ? entry.short : entry.key}:${entry.value}`).join('|');
  }
}
