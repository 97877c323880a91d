import type { Analysis, Site, Subject } from '../../src/report/analysis-data.js';

const SITES: Site[] = [
  { stack: 'encoder', layer: 0, sublayer: 'self' },
  { stack: 'encoder', layer: 0, sublayer: 'fc' },
  { stack: 'decoder', layer: 0, sublayer: 'self' },
  { stack: 'decoder', layer: 0, sublayer: 'encoder' },
  { stack: 'decoder', layer: 0, sublayer: 'fc' },
];

export const SUBJECTS: Subject[] = [
  { residual: 'admin', checkpoint: 'init', updates: 0 },
  { residual: 'admin', checkpoint: 'checkpoint_1_<5>', updates: 5 },
];

const STACKS = ['encoder', 'decoder'] as const;
const DIRECTIONS = ['random', 'gradient'] as const;

/** An analysis with everything in it, of models of one layer. */
export const ANALYSIS: Analysis = {
  format: 'admin-nmt/analysis',
  version: 1,
  seed: 7,
  dropout: false,
  batch: { split: 'valid', number: 2, sentences: 3, sourceTokens: 10, targetTokens: 12 },
  dependency: SUBJECTS.map((subject) => ({
    ...subject,
    stacks: STACKS.map((stack) => {
      const sites = SITES.filter((site) => site.stack === stack);
      const shares = sites.map((_, i) => new Array<number>(i + 2).fill(1 / (i + 2)));
      return {
        stack,
        rows: sites.map((site, i) => ({ ...site, shares: shares[i], bias: 0 })),
        expected: shares,
      };
    }),
  })),
  outputChange: {
    changes: STACKS.flatMap((stack) =>
      DIRECTIONS.flatMap((direction) =>
        [1, 2].map((depth) => ({
          ...SUBJECTS[0],
          stack,
          direction,
          depth,
          delta: 1e-4,
          changes: [1e-6 * depth, 2e-6 * depth],
        })),
      ),
    ),
    growth: [
      {
        residual: 'admin',
        stack: 'encoder',
        direction: 'random',
        delta: 1e-4,
        depths: [1, 2],
        exponents: [1, 1],
        exponent: 1,
        deviation: 0,
        expected: 0.5,
        linearFit: 1,
        logarithmicFit: 1,
      },
    ],
    theory: STACKS.flatMap((stack) =>
      [1, 2].map((depth) => ({ residual: 'admin', stack, depth, sum: depth })),
    ),
  },
  gradients: SUBJECTS.map((subject) => ({
    ...subject,
    steps: 2,
    hidden: SITES.map((site) => ({ ...site, norm: 0.1 })),
    matrices: STACKS.flatMap((stack) =>
      [2, 4].map((gradient, i) => ({
        stack,
        layer: 0,
        part: ['feed-forward fc1', 'feed-forward fc2'][i],
        gradient,
        update: 1,
      })),
    ),
  })),
  updates: [true, false].map((warmup) => ({
    ...SUBJECTS[0],
    warmup,
    steps: [1, 2].map((update) => ({
      update,
      lr: 0.1,
      relativeUpdate: 0.01,
      encoderChange: 0.1,
      decoderChange: 0.2,
      nll: 8,
    })),
  })),
  omega: [
    {
      ...SUBJECTS[1],
      sublayers: SITES.map((site) => ({ ...site, start: 2, mean: 3, deviation: 0.1, least: 2.5, most: 3.5 })),
    },
  ],
};
