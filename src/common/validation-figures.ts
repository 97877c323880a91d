/**
 * What a validation measures: the one place that names its figures and says how they are read. The schema, ranking, the lines
 * that training prints and writes, curves, lists and reports all go by this table. A new figure is a row here and what
 * computes it: `inBits` (src/train/meter.ts) what follows from the loss, `testMetrics` (src/workflows/sweep/test-text.ts)
 * scores of translations; those that sacreBLEU has need the row alone.
 */

/** How a figure is named, written and judged. */
export interface ValidationFigure {
  /** What people call it. */
  readonly label: string;
  /** What its values are in, where they have a unit. */
  readonly unit: string;
  readonly best: 'lowest' | 'highest';
  /** In tables and beside the progress bar. */
  readonly decimals: number;
  /** Decimals in the line that training prints of a validation; null where it is not told. */
  readonly told: number | null;
  /** Whether it is of translations, so that only validations with `eval-bleu` have it. Training measures all others as well. */
  readonly translated: boolean;
  /** How the report draws it: the title after `Validation`, and whether its axis is logarithmic at first (null: never). */
  readonly chart: { readonly title: string; readonly log: boolean | null } | null;
  /** Whether the list of runs has a column for the best. */
  readonly listed: boolean;
}

/** By their names in metrics.jsonl and in `best-checkpoint-metric`, in the order in which they are shown. */
const FIGURES = {
  /** Label-smoothed. */
  loss: {
    label: 'loss',
    unit: 'bits a token',
    best: 'lowest',
    decimals: 3,
    told: 3,
    translated: false,
    chart: { title: 'loss', log: false },
    listed: true,
  },
  nll_loss: {
    label: 'nll',
    unit: 'bits a token',
    best: 'lowest',
    decimals: 2,
    told: null,
    translated: false,
    chart: null,
    listed: false,
  },
  /** 2^nll_loss. */
  ppl: {
    label: 'ppl',
    unit: '',
    best: 'lowest',
    decimals: 2,
    told: 2,
    translated: false,
    chart: { title: 'perplexity', log: true },
    listed: false,
  },
  bleu: {
    label: 'BLEU',
    unit: '',
    best: 'highest',
    decimals: 2,
    told: 1,
    translated: true,
    chart: { title: 'BLEU', log: null },
    listed: true,
  },
  chrf: {
    label: 'chrF',
    unit: '',
    best: 'highest',
    decimals: 2,
    told: 1,
    translated: true,
    chart: { title: 'chrF', log: null },
    listed: false,
  },
} as const satisfies Record<string, ValidationFigure>;

export type FigureName = keyof typeof FIGURES;
/** The figures that need a translation. */
export type ScoreName = {
  [K in FigureName]: (typeof FIGURES)[K]['translated'] extends true ? K : never;
}[FigureName];
/** The figures that come with the loss. */
export type LossName = Exclude<FigureName, ScoreName>;

/** Per target token; losses in bits. */
export type LossFigures = Record<LossName, number>;
export type Scores = Record<ScoreName, number>;
/** Figures of training and validation with alignments alone. */
export interface AlignmentFigures {
  /** Cross-entropy of the guided attention and the alignments, per target token in bits. */
  alignment_loss?: number;
}
/** What one validation found. */
export type ValidationFigures = LossFigures & AlignmentFigures & Partial<Scores>;

/** All of them, in the order of the table. */
export const FIGURE_NAMES = Object.keys(FIGURES) as [FigureName, ...FigureName[]];
/** Those that need a translation. */
export const SCORE_NAMES = FIGURE_NAMES.filter((name): name is ScoreName => FIGURES[name].translated);

/** Its row of the table. */
export function figureOf(name: FigureName): ValidationFigure {
  return FIGURES[name];
}

/** A value such that the greater is the better, whichever way the figure is. */
export function worthOf(name: FigureName, value: number): number {
  return figureOf(name).best === 'highest' ? value : -value;
}

/** The best of some values; undefined where there is none. */
export function bestOf(name: FigureName, values: readonly (number | undefined)[]): number | undefined {
  const [first, ...others] = values.filter((value) => value !== undefined);
  return others.reduce((best, value) => (worthOf(name, value) > worthOf(name, best) ? value : best), first);
}

/** A value as it stands in tables. */
export function formatFigure(name: FigureName, value: number): string {
  return value.toFixed(figureOf(name).decimals);
}

/** `loss 3.214`, `BLEU 31.2`: those of a validation that are told in a line, and are there. */
export function tellFigures(found: Partial<ValidationFigures>, names: readonly FigureName[]): string[] {
  return names.flatMap((name) => {
    const [{ label, told }, value] = [figureOf(name), found[name]];
    return told === null || value === undefined ? [] : [`${label} ${value.toFixed(told)}`];
  });
}

/** `BLEU and chrF`: the scores that a translated validation has. */
export function nameScores(nameOf: (name: ScoreName) => string = (name) => figureOf(name).label): string {
  const names = SCORE_NAMES.map(nameOf);
  return [names.slice(0, -1).join(', '), names[names.length - 1]].join(' and ');
}
