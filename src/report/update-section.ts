import type { UpdateSensitivity, UpdateStep } from './analysis-data.js';
import { subjectNames } from './analysis-names.js';
import { type LineChart, lineChart } from './line-chart.js';

const CHARTS: readonly { title: string; label: string; value: (step: UpdateStep) => number; log: boolean }[] =
  [
    {
      title: 'Relative update ‖ΔW‖ / ‖W‖',
      label: 'relative update',
      value: ({ relativeUpdate }) => relativeUpdate,
      log: true,
    },
    { title: 'Learning rate', label: 'lr', value: ({ lr }) => lr, log: true },
    {
      title: 'Change of the encoder’s output by each update',
      label: 'output change',
      value: ({ encoderChange }) => encoderChange,
      log: true,
    },
    {
      title: 'Change of the decoder’s output by each update',
      label: 'output change',
      value: ({ decoderChange }) => decoderChange,
      log: true,
    },
    {
      title: 'Negative log-likelihood of the measured batch, bits for each token',
      label: 'bits',
      value: ({ nll }) => nll,
      log: false,
    },
  ];

/** What each of the next updates changes, with and without warmup. */
export function updateSection(models: readonly UpdateSensitivity[]): string {
  const subjects = subjectNames(models);
  const several = models.some(({ warmup }) => !warmup);
  const names = models.map(({ warmup }, i) => subjects[i] + (several && !warmup ? ', no warmup' : ''));
  const charts = CHARTS.map(({ title, label, value, log }) => {
    const chart: LineChart = {
      title,
      description: `${title}, for ${names.join(', ')}.`,
      x: { label: 'update' },
      y: { label, log },
      series: models.map(({ steps }, style) => ({
        name: names[style],
        style,
        points: steps.map((step) => ({ x: step.update, y: value(step) })),
      })),
    };
    return lineChart(chart);
  });
  return [
    '<h2>Sensitivity to updates</h2>',
    '<p class="note">The updates of training one by one. Output changes are of the normalised outputs of the stacks on ' +
      'the measured batch, for each component.</p>',
    `<div class="pair">${charts.join('\n')}</div>`,
  ].join('\n');
}
