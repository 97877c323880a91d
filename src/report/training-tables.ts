import { formatDuration } from '../common/duration.js';
import { bestOf, figureOf, formatFigure, SCORE_NAMES } from '../common/validation-figures.js';
import { escapeHtml } from './html.js';
import { number, table } from './html-table.js';
import { runKey } from './run-key.js';
import type { RunState, TrainingRun } from './training-run.js';

/** Signs of the states: they are told apart without colours too. */
const STATES: Readonly<Record<RunState, string>> = {
  running: '▶',
  finished: '✓',
  interrupted: '■',
  diverged: '✕',
  empty: '○',
};

/** Keys that differ between any two runs and say nothing about them. */
const UNTOLD = new Set(['train.save-dir']);

/** So many differences stand open above the curves. */
const FEW_KEYS = 8;

/** A line for each run: where it stands and how well it does. */
export function summaryTable(runs: readonly TrainingRun[]): string {
  const scores = SCORE_NAMES.filter((name) => runs.some(({ bestScores }) => bestScores[name] !== undefined));
  const best = Math.min(...runs.map((run) => run.best?.loss ?? Infinity));
  const top = scores.map((name) =>
    bestOf(
      name,
      runs.map(({ bestScores }) => bestScores[name]),
    ),
  );
  const rows = runs.map((run, i) => {
    const { state, updates, epoch, seconds, trainLoss, validLoss, speed, weights } = run;
    const mark = (text: string, wins: boolean, what: string): string =>
      wins && runs.length > 1 ? `<b title="the ${what}">${text}</b>` : text;
    return [
      `<th scope="row">${runKey(i)} ${escapeHtml(run.name)}</th>`,
      `<td class="state ${state}"><span aria-hidden="true">${STATES[state]}</span> ${state}</td>`,
      number(updates, whole),
      number(epoch, whole),
      number(run.best?.loss, (loss) => mark(loss.toFixed(3), loss === best, 'lowest')),
      number(run.best?.updates, whole),
      ...scores.map((name, i) =>
        number(run.bestScores[name], (score) =>
          mark(formatFigure(name, score), score === top[i], figureOf(name).best),
        ),
      ),
      number(validLoss, (loss) => loss.toFixed(3)),
      number(trainLoss, (loss) => loss.toFixed(3)),
      number(seconds, formatDuration),
      number(speed, whole),
      number(weights?.parameters, whole),
    ].join('');
  });
  const heads = ['Run', 'State', 'Updates', 'Epoch', 'Best valid loss', 'after'];
  const latest = ['Last valid', 'Last train', 'Time', 'Tokens/s', 'Parameters'];
  return table([...heads, ...scores.map((name) => `Best ${figureOf(name).label}`), ...latest], rows, 2);
}

/** The keys of the config whose values differ, with the value in each run. */
export function differenceTable(runs: readonly TrainingRun[]): string {
  if (runs.length < 2) return '';
  const keys = new Set(runs.flatMap(({ settings }) => [...settings.keys()]));
  const differing = [...keys].filter(
    (key) => !UNTOLD.has(key) && new Set(runs.map(({ settings }) => settings.get(key))).size > 1,
  );
  if (differing.length === 0) return '<p class="note">The configs of the runs are the same.</p>';
  const rows = differing.map((key) => {
    const cells = runs.map(({ settings }) => `<td>${escapeHtml(plain(settings.get(key)))}</td>`);
    return `<th scope="row"><code>${escapeHtml(key)}</code></th>${cells.join('')}`;
  });
  const heads = ['Key', ...runs.map(({ name }, i) => `${runKey(i)} ${escapeHtml(name)}`)];
  const open = differing.length <= FEW_KEYS ? ' open' : '';
  const count = differing.length === 1 ? 'one key' : `${differing.length} keys`;
  return `<details${open}><summary>The configs differ in ${count}</summary>\n${table(heads, rows, heads.length)}</details>`;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

/** A value of JSON, a text without its quotes. */
function plain(json = '–'): string {
  return /^"[^"\\]+"$/.test(json) ? json.slice(1, -1) : json;
}
