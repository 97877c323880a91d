import type { Stack } from '../src/report/analysis-data.js';
import type { Reading, Tolerance } from './paper-readings.js';
import * as read from './paper-readings.js';

/** Figures of docs/paper.md, and where each is read from what the commands of the page leave. */
export interface Passage {
  /** As it stands on the page (with single spaces), braces around the figures that are compared. */
  readonly quotation: string;
  /** Of each figure in braces. */
  readonly readings: readonly Reading[];
}

export const passage = (quotation: string, ...readings: Reading[]): Passage => ({ quotation, readings });

/** A row of 1: nll after 300 and 600 updates. */
export function sgd(cell: string, quotation: string, tolerance = read.TRAINED): Passage {
  return passage(quotation, ...[300, 600].map((n) => read.validatedAt('sgd', cell, n, tolerance)));
}

/** A row of 2: gradients and updates of a stack, with 6 + 6 and with 18 + 18 layers. */
export function balance(scheme: string, stack: Stack, quotation: string): Passage {
  const of = (file: string): Reading[] => [
    read.spreadOf(file, scheme, stack, 'gradient'),
    read.spreadOf(file, scheme, stack, 'update'),
  ];
  return passage(quotation, ...of('gradients.json'), ...of('gradients-18.json'));
}

/** Both stacks of a scheme in 3: the mean share of the own branch at the start. */
export function shares(scheme: string, quotation: string): Passage {
  const initial = { residual: scheme, checkpoint: 'init' };
  return passage(
    quotation,
    read.ownShare('dependency.json', initial, 'encoder'),
    read.ownShare('dependency.json', initial, 'decoder'),
  );
}

export const sums = (file: string, scheme: string): Reading[] =>
  (['encoder', 'decoder'] as const).map((stack) => read.ownSum(file, scheme, stack));

/** A row of 3: exponents in a random direction, of the theorem, along the gradient. */
export function exponents(file: string, scheme: string, stack: Stack, quotation: string): Passage {
  return passage(
    quotation,
    read.growth(file, scheme, stack, 'random', 'exponent'),
    read.growth(file, scheme, stack, 'random', 'deviation'),
    read.growth(file, scheme, stack, 'random', 'expected'),
    read.growth(file, scheme, stack, 'gradient', 'exponent'),
    read.growth(file, scheme, stack, 'gradient', 'deviation'),
  );
}

/** A row of 4: nll, BLEU and chrF. */
export function translated(cell: string, quotation: string): Passage {
  return passage(
    quotation,
    read.validation('equal-updates', cell, 'last nll'),
    read.scored('equal-updates', cell, 'test BLEU'),
    read.scored('equal-updates', cell, 'test chrF'),
  );
}

const RATES = ['0.001', '0.002', '0.004'];
const LAST_UPDATE = 1400;

/** A row of the first step of the protocol: nll, BLEU and chrF at each rate. */
export function firstStep(cell: string, quotation: string, tolerance = read.TRAINED): Passage {
  const of = (rate: string): Reading[] => [
    read.validation('deep-wins', `${cell},lr=${rate}`, 'last nll', tolerance),
    read.scored('deep-wins', `${cell},lr=${rate}`, 'test BLEU'),
    read.scored('deep-wins', `${cell},lr=${rate}`, 'test chrF'),
  ];
  return passage(quotation, ...RATES.flatMap(of));
}

/** A row of its second step: nll with each seed. */
export function secondStep(
  sweep: string,
  cell: string,
  quotation: string,
  tolerance = read.TRAINED,
): Passage {
  const of = (seed: number): Reading => read.validatedAt(sweep, cell, LAST_UPDATE, tolerance, seed);
  return passage(quotation, ...[2, 3, 4].map(of));
}

/** A row of the headline, with batches of tokens (`headline`) or of padded ones. */
export function headline(sweep: string, scheme: string, tolerance: Tolerance, quotation: string): Passage {
  return passage(
    quotation,
    read.validation(sweep, `residual=${scheme}`, 'best nll'),
    read.validation(sweep, `residual=${scheme}`, 'last nll', tolerance),
  );
}

/** A row of the divergence map. Where nothing trains, the loss keeps near the plateau; so it does where it diverges. */
export function divergence(scheme: string, warmup: number, quotation: string): Passage {
  const rates = ['0.001', '0.004', '0.016'];
  const group = (rate: string): string => `lr=${rate},warmup-updates=${warmup},residual=${scheme}`;
  return passage(quotation, ...rates.map((rate) => read.validation('divergence', group(rate), 'best loss')));
}

/** A row of the sweep of warmups: nll after the last update, and the best. */
export function warmup(cell: string, quotation: string, tolerance = read.TRAINED): Passage {
  return passage(
    quotation,
    read.validation('warmup', cell, 'last nll', tolerance),
    read.validation('warmup', cell, 'best nll', tolerance),
  );
}

/** A row of the map without warmup: nll at each rate. */
export function noWarmup(scheme: string, beta: string, quotation: string): Passage {
  const of = (rate: string): Reading => {
    const group = `residual=${scheme},lr=${rate},adam-betas=0.9-${beta}`;
    return read.validation('no-warmup', group, 'last nll');
  };
  return passage(quotation, ...['0.001', '0.002', '0.003', '0.004', '0.005'].map(of));
}

export function shallow(scheme: string, quotation: string): Passage {
  const groups = ['18+1,lr=0.004', '18+1,lr=0.016', '12+3,lr=0.004', '12+3,lr=0.016'];
  return passage(
    quotation,
    ...groups.map((group) => read.validation('shallow-decoder', `${group},residual=${scheme}`, 'best loss')),
  );
}

export const rival = (scheme: string, quotation: string): Passage =>
  passage(quotation, read.validation('rivals', `residual=${scheme}`, 'best loss'));

export const start = (scheme: string, quotation: string): Passage =>
  passage(quotation, read.validation('starts', `residual=${scheme}`, 'last nll'));

/** A row of 7: ω of a stack, and what the formula gives. */
export function omegas(folder: string, stack: Stack, quotation: string): Passage {
  return passage(
    quotation,
    read.omega(folder, stack, 'first'),
    read.omega(folder, stack, 'last'),
    read.omega(folder, stack, 'mean'),
    read.said(folder, new RegExp(`ω of the ${stack}: .* analytic \\(log-n\\) ([\\d.]+)`), read.EXACT),
  );
}

export const moved = (checkpoint: string, stack: Stack, tolerance = read.MOVED): Reading =>
  read.ownShare('moved.json', { residual: 'admin', checkpoint }, stack, tolerance);
