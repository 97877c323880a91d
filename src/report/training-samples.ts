import { escapeHtml } from './html.js';
import { runKey } from './run-key.js';
import type { Sample, TrainingRun } from './training-run.js';

/** Validations of a run whose translations of a sentence are shown at most: the first, the last, and some between. */
const MOST_MOMENTS = 4;

/** What a run has made of a sentence, at some number of updates. */
interface Attempt {
  run: number;
  updates: number;
  hypothesis: string;
}

/** Sentences of the validation split, and how their translations have changed; empty where no run has any. */
export function sampleSection(runs: readonly Pick<TrainingRun, 'lines'>[]): string {
  const sentences = collect(runs);
  if (sentences.size === 0) return '';
  const blocks = [...sentences.values()].map(({ sample: { source, reference }, attempts }) => {
    const rows = attempts.map(({ run, updates, hypothesis }, i) => {
      const key = attempts[i - 1]?.run === run ? '' : runKey(run);
      const text = hypothesis === '' ? '<span class="quiet">(empty)</span>' : escapeHtml(hypothesis);
      return `<tr><th scope="row">${key}</th><td class="number">${updates.toLocaleString('en')}</td><td dir="auto">${text}</td></tr>`;
    });
    return [
      '<div class="scroll" tabindex="0"><table class="samples">',
      `<thead><tr><th scope="row" colspan="2">source</th><td dir="auto">${escapeHtml(source)}</td></tr>`,
      `<tr><th scope="row" colspan="2">reference</th><td dir="auto">${escapeHtml(reference)}</td></tr></thead>`,
      `<tbody>${rows.join('\n')}</tbody></table></div>`,
    ].join('\n');
  });
  return [
    '<h2>Sample translations</h2>',
    '<p class="note">Of the validation split, after so many updates.</p>',
    ...blocks,
  ].join('\n');
}

/** The attempts at each sentence, by run and updates. */
function collect(
  runs: readonly Pick<TrainingRun, 'lines'>[],
): Map<string, { sample: Sample; attempts: Attempt[] }> {
  const sentences = new Map<string, { sample: Sample; attempts: Attempt[] }>();
  runs.forEach(({ lines }, run) => {
    for (const line of spaced(lines.filter(({ samples = [] }) => samples.length > 0))) {
      for (const sample of line.samples!) {
        const key = JSON.stringify([sample.source, sample.reference]);
        const found = sentences.get(key) ?? { sample, attempts: [] };
        found.attempts.push({ run, updates: line.num_updates, hypothesis: sample.hypothesis });
        sentences.set(key, found);
      }
    }
  });
  return sentences;
}

/** Some of a list at even distances, the first and the last among them. */
function spaced<T>(list: readonly T[]): T[] {
  if (list.length <= MOST_MOMENTS) return [...list];
  return Array.from(
    { length: MOST_MOMENTS },
    (_, i) => list[Math.round((i * (list.length - 1)) / (MOST_MOMENTS - 1))],
  );
}
