import * as read from './paper-readings.js';
import {
  divergence,
  firstStep,
  headline,
  noWarmup,
  type Passage,
  passage,
  rival,
  secondStep,
  sgd,
  shallow,
  start,
  translated,
  warmup,
} from './paper-rows.js';

/** Figures that are read from what sweeps leave: sections 1, 4, 5, 7, 8 and 11. */
export const SWEPT: readonly Passage[] = [
  passage('(unigram plateau {8.42}) | after 300', read.plateau('sgd')),
  sgd('adam', '| Adam, lr 0.001 | {6.97} | {6.26} |'),
  sgd('sgd-0.01', '| SGD, momentum 0.9, lr 0.01 | {8.45} | {7.90} |'),
  sgd('sgd-0.1', '| SGD, momentum 0.9, lr 0.1 | {7.82} | {7.14} |'),
  sgd('sgd-1', '| SGD, momentum 0.9, lr 1 | {8.54} | {8.43} |', read.UNSTABLE),

  translated('admin-18', '| Admin 18 + 18, profiled ω | {4.94} | {13.2} | {29.3} |'),
  translated('pre-ln-18', '| Pre-LN 18 + 18 | {4.62} | {17.8} | {35.0} |'),
  translated('admin-18-analytic', '| Admin 18 + 18, analytic ω | {4.30} | {22.2} | {40.7} |'),
  translated('pre-ln-6', '| Pre-LN 6 + 6 | {4.40} | {20.8} | {39.2} |'),
  translated('admin-6', '| Admin 6 + 6, profiled ω | {4.39} | {21.6} | {39.5} |'),

  firstStep(
    'admin',
    '| Admin 12 + 12, profiled ω | {4.66}, {18.4}, {35.5} | {4.05}, {23.7}, {41.2} | **{4.02}**, {19.3}, {37.0} |',
  ),
  firstStep(
    'admin-analytic',
    '| Admin 12 + 12, analytic ω | {4.40}, {22.1}, {39.7} | {3.70}, {28.3}, {46.8} | **{3.33}**, {31.1}, {49.9} |',
  ),
  firstStep(
    'pre-ln',
    '| Pre-LN 12 + 12 | {4.58}, {18.9}, {36.0} | {3.90}, {25.7}, {43.8} | **{3.46}**, {29.3}, {48.1} |',
  ),
  firstStep(
    'post-ln-pre-ln',
    '| Post-LN encoder under a Pre-LN decoder | {5.56}, {4.4}, {18.9} | {5.31}, {4.1}, {18.7} | **{5.11}**, {3.0}, {19.4} |',
  ),
  firstStep(
    'post-ln',
    '| Post-LN 12 + 12 | **{7.51}**, {2.2}, {6.7} | {12.88} (diverged), {0.6}, {5.9} | {7.71}, {2.0}, {5.3} |',
    read.UNSTABLE,
  ),
  firstStep(
    'post-ln-6',
    '| Post-LN 6 + 6 | {5.27}, {8.5}, {25.0} | **{4.68}**, {12.9}, {30.1} | {4.75}, {8.5}, {24.1} |',
  ),
  secondStep(
    'deep-wins-seeds',
    'admin',
    '| Admin 12 + 12, profiled ω | {3.71} | {4.27} | {5.06} |',
    read.WAVERING,
  ),
  secondStep(
    'deep-wins-seeds',
    'admin-analytic',
    '| Admin 12 + 12, analytic ω | **{3.25}** | **{3.33}** | **{3.57}** |',
  ),
  secondStep('deep-wins-seeds', 'pre-ln', '| Pre-LN 12 + 12 | {3.56} | {3.49} | {3.58} |'),
  secondStep('deep-wins-seeds', 'post-ln-6', '| Post-LN 6 + 6 | {4.72} | {4.81} | {4.88} |'),
  secondStep(
    'deep-wins-seeds',
    'post-ln-pre-ln',
    '| Post-LN encoder under a Pre-LN decoder | {5.12} | {5.11} | {5.12} |',
  ),
  secondStep('deep-wins-seeds', 'post-ln', '| Post-LN 12 + 12 | {7.09} | {7.30} | {7.59} |', read.UNSTABLE),

  secondStep('deep-wins-en-fr', 'admin', '| Admin 12 + 12, profiled ω, en → fr | {2.93} | {2.77} | {2.80} |'),
  secondStep(
    'deep-wins-en-fr',
    'admin-analytic',
    '| Admin 12 + 12, analytic ω, en → fr | **{2.42}** | **{2.42}** | **{2.40}** |',
  ),
  secondStep('deep-wins-en-fr', 'pre-ln', '| Pre-LN 12 + 12, en → fr | {2.61} | {2.57} | {2.62} |'),
  secondStep('deep-wins-en-fr', 'post-ln-6', '| Post-LN 6 + 6, en → fr | {3.74} | {3.97} | {3.82} |'),
  secondStep(
    'deep-wins-en-fr',
    'post-ln-pre-ln',
    '| Post-LN encoder under a Pre-LN decoder, en → fr | {4.48} | {4.47} | {4.48} |',
  ),
  secondStep(
    'deep-wins-en-fr',
    'post-ln',
    '| Post-LN 12 + 12, en → fr | {7.46} | {7.25} | {7.26} |',
    read.UNSTABLE,
  ),

  passage('| the unigram plateau | {8.43} | | |', read.plateau('headline')),
  headline('headline', 'post-ln', read.UNSTABLE, '| Post-LN | {8.44} ± 0.00 | {8.90} ± 0.40 | PPP |'),
  headline('headline', 'admin', read.TRAINED, '| Admin | {6.41} ± 0.03 | {6.41} ± 0.03 | LLL |'),
  headline('headline', 'pre-ln', read.TRAINED, '| Pre-LN | {6.34} ± 0.04 | {6.34} ± 0.04 | LLL |'),
  headline(
    'headline',
    'post-ln-pre-ln',
    read.TRAINED,
    '| Post-LN encoder under a Pre-LN decoder | {6.49} ± 0.03 | {6.49} ± 0.03 | LLL |',
  ),

  headline('headline-padded', 'post-ln', read.LOST, '| Post-LN, padded | {8.47} | {11.71} | D |'),
  headline('headline-padded', 'admin', read.TRAINED, '| Admin, padded | {6.45} | {6.45} | L |'),
  headline('headline-padded', 'pre-ln', read.TRAINED, '| Pre-LN, padded | {6.35} | {6.35} | L |'),
  headline(
    'headline-padded',
    'post-ln-pre-ln',
    read.TRAINED,
    '| Post-LN encoder under a Pre-LN decoder, padded | {6.50} | {6.50} | L |',
  ),

  passage(
    '| validation after 531 updates | {7.81} | {6.40} |',
    read.validatedAt('deep', 'residual=post-ln', 531),
    read.validatedAt('deep', 'residual=admin', 531),
  ),
  passage(
    '| after 600 | {7.82} | {6.30} |',
    read.validatedAt('deep', 'residual=post-ln', 600),
    read.validatedAt('deep', 'residual=admin', 600),
  ),

  divergence('post-ln', 0, '| Post-LN | 0 | {8.85} + | {9.16} P | {9.19} P |'),
  divergence('post-ln', 25, '| | 25 | {8.85} + | {9.16} P | {9.20} P |'),
  divergence('post-ln', 100, '| | 100 | {8.78} + | {9.18} P | {9.24} P |'),
  divergence(
    'post-ln-pre-ln',
    0,
    '| Post-LN encoder under a Pre-LN decoder | 0 | {8.03} + | {7.45} + | {7.53} + |',
  ),
  divergence('post-ln-pre-ln', 25, '| | 25 | {8.05} + | {7.47} + | {7.66} + |'),
  divergence('post-ln-pre-ln', 100, '| | 100 | {8.14} + | {7.51} + | {7.38} + |'),
  divergence('pre-ln', 0, '| Pre-LN | 0 | {8.00} + | {7.44} + | {7.51} + |'),
  divergence('pre-ln', 25, '| | 25 | {8.05} + | {7.45} + | {7.54} + |'),
  divergence('pre-ln', 100, '| | 100 | {8.13} + | {7.48} + | {7.40} + |'),
  divergence('admin', 0, '| Admin | 0 | {8.11} + | {8.00} + | {9.19} D |'),
  divergence('admin', 25, '| | 25 | {8.16} + | {7.91} + | {9.19} D |'),
  divergence('admin', 100, '| | 100 | {8.25} + | {7.67} + | {9.26} P |'),

  warmup('admin-200', '| Admin | 200 | {4.85} | {4.85} |'),
  warmup('pre-ln-200', '| Pre-LN | 200 | {4.38} | {4.38} |'),
  warmup('post-ln-200', '| Post-LN | 200 | {16.41} | {8.71} (after 200)', read.LOST),
  warmup('post-ln-400', '| | 400 | {16.08} | {8.48} (after 200)', read.LOST),
  warmup('post-ln-800', '| | 800 | {15.01} | {8.89} (after 200)', read.LOST),
  warmup('post-ln-1600', '| | 1 600 | {13.38} | {7.75} (after 1 200)', read.LOST),

  noWarmup('post-ln', '0.99', '| Post-LN | 0.99 | {7.53} | {7.25} | {7.53} | {7.52} | {7.53} |'),
  noWarmup('post-ln', '0.995', '| | 0.995 | {7.72} – | {7.33} | {7.23} | {7.48} | {7.53} |'),
  noWarmup('post-ln', '0.999', '| | 0.999 | {8.33} – | {7.76} – | {7.51} | {7.36} | {7.30} |'),
  noWarmup('pre-ln', '0.99', '| Pre-LN | 0.99 | {7.24} | {6.68} | {6.37} | {6.21} | {6.10} |'),
  noWarmup('pre-ln', '0.995', '| | 0.995 | {7.49} | {6.93} | {6.58} | {6.36} | {6.24} |'),
  noWarmup('pre-ln', '0.999', '| | 0.999 | {8.27} – | {7.56} | {7.22} | {6.99} | {6.80} |'),
  noWarmup('admin', '0.99', '| Admin | 0.99 | {7.22} | {6.62} | {6.33} | {6.21} | {6.22} |'),
  noWarmup('admin', '0.995', '| | 0.995 | {7.49} | {6.87} | {6.52} | {6.32} | {6.19} |'),
  noWarmup('admin', '0.999', '| | 0.999 | {8.27} – | {7.57} | {7.19} | {6.93} | {6.72} |'),

  shallow('post-ln', '| Post-LN | {7.479} | {7.365} | {7.575} | {8.641} P |'),
  shallow('pre-ln', '| Pre-LN | {7.561} | {7.288} | {7.378} | {7.237} |'),
  shallow('admin', '| Admin | {7.502} | {7.328} | {7.431} | {7.433} |'),

  rival('pre-ln', '| Pre-LN | {7.301} | L |'),
  rival('deepnorm', '| DeepNorm | {7.311} | L |'),
  rival('b2t', '| B2T | {7.334} | L |'),
  rival('admin', '| Admin | {7.429} | L |'),
  rival('sub-ln', '| Sub-LN | {7.602} | L |'),
  rival('post-ln', '| Post-LN | {8.706} | E |'),

  passage(
    '| profiled ω (the cells of the headline) | {6.41} ± 0.03 |',
    read.validation('omega', 'init=profiled', 'last nll'),
  ),
  passage('| analytic ω | {6.09} ± 0.05 |', read.validation('omega', 'init=analytic', 'last nll')),

  passage(
    '| profiled ω | {6.67} ± 0.13 | {6.75} ± 0.24 |',
    read.validation('omega-trainable', 'train=true,init=profiled', 'last nll'),
    read.validation('omega-trainable', 'train=false,init=profiled', 'last nll', read.UNSTABLE),
  ),
  passage(
    '| analytic ω | {6.47} ± 0.06 | {6.45} ± 0.06 |',
    read.validation('omega-trainable', 'train=true,init=analytic', 'last nll'),
    read.validation('omega-trainable', 'train=false,init=analytic', 'last nll'),
  ),

  start('pre-ln', '| Pre-LN | {5.88} |'),
  start('admin', '| Admin | {5.92} |'),
  start('deepnorm', '| DeepNorm | {6.04} |'),
  start('rezero', '| ReZero | {6.05} |'),
  start('post-ln', '| Post-LN | {6.29} |'),
  start('look-linear', '| look-linear | {6.29} |'),
];
