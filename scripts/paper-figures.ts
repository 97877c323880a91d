import * as read from './paper-readings.js';
import { balance, exponents, moved, omegas, type Passage, passage, shares, sums } from './paper-rows.js';
import { SWEPT } from './paper-sweep-figures.js';

/** Figures that are not here are times and speeds, those of others, and those whose command the page does not have. */
export const PASSAGES: readonly Passage[] = [
  ...SWEPT,

  balance('post-ln', 'encoder', '| Post-LN encoder | {2.2} | {1.30} | {3.5} | {1.46} |'),
  balance('post-ln', 'decoder', '| Post-LN decoder | {5.6} | {1.21} | **{33.7}** | {1.97} |'),
  balance(
    'post-ln-pre-ln',
    'encoder',
    '| Post-LN encoder, under a Pre-LN decoder | {2.2} | {1.23} | {3.4} | {1.73} |',
  ),
  balance(
    'post-ln-pre-ln',
    'decoder',
    '| Pre-LN decoder over a Post-LN encoder | {2.0} | {1.23} | {2.8} | {1.41} |',
  ),
  balance('pre-ln', 'encoder', '| Pre-LN encoder | {2.7} | {1.23} | {3.8} | {1.32} |'),
  balance('pre-ln', 'decoder', '| Pre-LN decoder | {2.3} | {1.21} | {3.0} | {1.30} |'),
  balance('admin', 'encoder', '| Admin encoder | {2.2} | {1.31} | {2.9} | {1.29} |'),
  balance('admin', 'decoder', '| Admin decoder | {2.6} | {1.21} | {3.7} | {1.25} |'),

  shares('post-ln', '| Post-LN | {0.257} | {0.298} | 0.375 | 0.265 |'),
  shares('pre-ln', '| Pre-LN | {0.110} | {0.092} | 0.088 | 0.099 |'),
  passage(
    '| Admin | {0.101} | {0.081} | {0.077} | {0.146} |',
    ...shares('admin', '').readings,
    moved('checkpoint_2_600', 'encoder'),
    moved('checkpoint_2_600', 'decoder'),
  ),
  passage(
    'equal branches ({0.5}; {0.182} and {0.142})',
    read.expectedShare('dependency.json', 'post-ln', 'encoder'),
    read.expectedShare('dependency.json', 'admin', 'encoder'),
    read.expectedShare('dependency.json', 'admin', 'decoder'),
  ),

  passage(
    'Σβ²ᵢᵢ is {10.0} / {15.7} for Post-LN, {2.15} / {2.49} for Admin with the profiled ω and {1.15} / {1.24} with',
    ...sums('dependency-18.json', 'post-ln'),
    ...sums('dependency-18.json', 'admin'),
    ...sums('analytic-18.json', 'admin'),
  ),

  exponents(
    'change.json',
    'post-ln',
    'encoder',
    '| Post-LN encoder | {0.93} ± {0.36} | {1.00} | {2.33} ± {0.33} |',
  ),
  exponents(
    'change.json',
    'pre-ln',
    'encoder',
    '| Pre-LN encoder | {0.33} ± {0.03} | {0.29} | {1.32} ± {0.14} |',
  ),
  exponents(
    'change.json',
    'admin',
    'encoder',
    '| Admin encoder, profiled ω | {0.40} ± {0.05} | {0.29} | {1.29} ± {0.11} |',
  ),
  exponents(
    'analytic.json',
    'admin',
    'encoder',
    '| Admin encoder, analytic ω | {0.28} ± {0.03} | {0.28} | {1.35} ± {0.07} |',
  ),
  exponents(
    'change.json',
    'post-ln',
    'decoder',
    '| Post-LN decoder | {−0.02} ± {0.17} | {1.00} | {0.37} ± {0.42} |',
  ),
  exponents(
    'change.json',
    'pre-ln',
    'decoder',
    '| Pre-LN decoder | {0.11} ± {0.11} | {0.26} | {1.16} ± {0.21} |',
  ),
  exponents(
    'change.json',
    'admin',
    'decoder',
    '| Admin decoder, profiled ω | {0.05} ± {0.22} | {0.26} | {1.12} ± {0.11} |',
  ),
  exponents(
    'analytic.json',
    'admin',
    'decoder',
    '| Admin decoder, analytic ω | {0.13} ± {0.11} | {0.25} | {1.24} ± {0.18} |',
  ),

  passage(
    'of a 6-layer encoder by {1.03} (Post-LN), {0.31} (Pre-LN) and {0.24} (Admin)',
    read.firstChange('updates.json', 'post-ln'),
    read.firstChange('updates.json', 'pre-ln'),
    read.firstChange('updates.json', 'admin'),
  ),

  omegas('profile-6', 'encoder', '| 6 + 6 | encoder | {1.000} … {2.351} | {1.822} | {2.017} |'),
  omegas('profile-6', 'decoder', '| | decoder | {1.000} … {2.806} | {2.133} | {2.335} |'),
  omegas('profile-18', 'encoder', '| 18 + 18 | encoder | {1.000} … {3.892} | {2.743} | {3.041} |'),
  omegas('profile-18', 'decoder', '| | decoder | {1.000} … {4.980} | {3.420} | {3.567} |'),
  omegas('profile-60', 'encoder', '| 60 + 12 | encoder | {1.000} … {7.330} | {4.899} | {4.922} |'),
  omegas('profile-60', 'decoder', '| | decoder | {1.000} … {4.203} | {2.922} | {3.041} |'),

  passage(
    "Admin's decoder {0.081} → {0.146}, in its encoder {0.101} → {0.077}",
    moved('init', 'decoder', read.MEASURED),
    moved('checkpoint_2_600', 'decoder'),
    moved('init', 'encoder', read.MEASURED),
    moved('checkpoint_2_600', 'encoder'),
  ),

  passage(
    'folded: {1000} of {1000} translations at beam 5 are identical',
    read.said('folded', /Translations of .*: (\d+) of \d+ are identical/, read.COUNTED),
    read.said('folded', /Translations of .*: \d+ of (\d+) are identical/, read.COUNTED),
  ),

  passage(
    '`look-linear` {0.94} ± {0.09} (theorem {1.00}), like Post-LN; `deepnorm` {−0.30} ± {0.04} ({−0.87})',
    ...['look-linear', 'deepnorm'].flatMap((scheme) => [
      read.growth('others.json', scheme, 'encoder', 'random', 'exponent'),
      read.growth('others.json', scheme, 'encoder', 'random', 'deviation'),
      read.growth('others.json', scheme, 'encoder', 'random', 'expected'),
    ]),
  ),
  passage('its branches are multiplied by {0} at first', read.largestChange('others.json', 'rezero')),
];
