/** One residual sublayer as it was profiled. */
export interface ProfileRow {
  stack: 'encoder' | 'decoder';
  layer: number;
  sublayer: 'self' | 'encoder' | 'fc';
  /** Var(x·ω). */
  shortcutVariance: number;
  /** Var(f(x)). */
  branchVariance: number;
  omega: number;
}

const BAR_WIDTH = 24;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const NAMES = { self: 'self-attention', encoder: 'encoder-attention', fc: 'feed-forward' };

/** A profile as a table: a line for each sublayer, with a bar as long as its ω; the longest ω fills the width. */
export function formatProfile(rows: readonly ProfileRow[]): string[] {
  const largest = rows.reduce((most, { omega }) => Math.max(most, omega), 0);
  return [
    'layer       sublayer             Var(x·ω)    Var(f(x))          ω',
    ...rows.map(({ stack, layer, sublayer, shortcutVariance, branchVariance, omega }) =>
      [
        `${stack} ${layer}`.padEnd(12),
        NAMES[sublayer].padEnd(17),
        shortcutVariance.toPrecision(5).padStart(12),
        branchVariance.toPrecision(5).padStart(13),
        omega.toPrecision(5).padStart(11),
        `  ${bar(omega / largest)}`,
      ].join(''),
    ),
  ];
}

/**
 * A line on the ω of a stack: profiled, and what the formula of the depth would give.
 *
 * @param profiled of each sublayer, in order
 */
export function compareOmega(
  stack: string,
  profiled: readonly number[],
  analytic: number,
  formula: string,
): string {
  const mean = profiled.reduce((sum, omega) => sum + omega, 0) / profiled.length;
  const [least, most] = [Math.min(...profiled), Math.max(...profiled)];
  return `ω of the ${stack}: ${least.toFixed(3)} … ${most.toFixed(3)}, mean ${mean.toFixed(3)}; analytic (${formula}) ${analytic.toFixed(3)}`;
}

/** A bar of a share of the full width, to an eighth of a character. */
function bar(share: number): string {
  const eighths = Math.round(share * BAR_WIDTH * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}
