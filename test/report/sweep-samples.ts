import type { SweepAxis, SweepCell, SweepGroup, SweepReport } from '../../src/report/sweep-results.js';
import type { Verdict } from '../../src/report/verdict.js';

const UNIGRAM = 8.4;
const LAST: Record<Verdict, number> = {
  converged: 5,
  learning: 6,
  early: 9,
  plateau: 8.4,
  unfinished: 7,
  failed: 7.5,
  diverged: 12,
};

/** A training of 200 updates with so good a verdict. */
export function sampleCell(
  name: string,
  seed: number,
  verdict: Verdict,
  changes: Partial<SweepCell> = {},
): SweepCell {
  const at = (updates: number): number =>
    12 + (LAST[verdict] + seed / 10 - 12) * (1 - Math.exp(-updates / 60));
  const points = (step: number) =>
    Array.from({ length: 200 / step }, (_, i) => [(i + 1) * step, at((i + 1) * step)] as const);
  const last = { updates: 200, loss: at(200) + 0.5, nll: at(200) };
  return {
    ...{
      name: `${name},seed=${seed}`,
      seed,
      verdict,
      best: last,
      last,
      updates: 200,
      seconds: 65,
      speed: 1000 + seed,
    },
    message: verdict === 'diverged' ? 'training diverged: loss of update 200 is not finite' : null,
    test: null,
    curves: { train: points(5), valid: points(50) },
    ...changes,
  };
}

export function sampleGroup(values: readonly string[], verdicts: readonly Verdict[]): SweepGroup {
  const name = values.map((value, i) => `${['lr', 'warmup-updates', 'residual'][i]}=${value}`).join(',');
  const cells = verdicts.map((verdict, i) => sampleCell(name, i + 1, verdict));
  return { name, values, cells, unigram: UNIGRAM, significance: null };
}

export const AXES: readonly SweepAxis[] = [
  { key: 'train.lr', label: 'lr', values: ['0.001', '0.003', '0.01'], numeric: true },
  { key: 'train.warmup-updates', label: 'warmup-updates', values: ['0', '200'], numeric: true },
  { key: 'model.residual', label: 'residual', values: ['post-ln', 'admin'], numeric: false },
];

/** lr × warmup × scheme; all verdicts occur, and one point of the grid is not there. */
export function sampleReport(): SweepReport {
  const [lr, warmup, residual] = AXES.map(({ values }) => values);
  const groups = lr.flatMap((rate, i) =>
    warmup.flatMap((updates, j) =>
      residual.flatMap((scheme, k) => {
        if (i === 2 && j === 0 && k === 1) return [];
        const verdicts: Verdict[] =
          k === 1 ? ['converged', 'converged'] : i === 0 ? ['converged', 'plateau'] : ['diverged', 'plateau'];
        return [
          sampleGroup([rate, updates, scheme], i === 2 && j === 1 ? ['unfinished', 'failed'] : verdicts),
        ];
      }),
    ),
  );
  return {
    title: 'sample <1>',
    facts: [['Varied', 'lr <1>']],
    listed: false,
    axes: AXES,
    groups,
    signatures: [],
  };
}
