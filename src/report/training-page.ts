import { embedJson, escapeHtml } from './html.js';
import { factSection, type PageOrigin, pageHeader } from './page-header.js';
import { DASHES, dashOf, runKey } from './run-key.js';
import { type ChartSpec, chartsOf, type RunCurves, runCurves } from './training-curves.js';
import { normSection } from './training-norms.js';
import { omegaSection } from './training-omega.js';
import type { TrainingRun } from './training-run.js';
import { sampleSection } from './training-samples.js';
import { trainingScript } from './training-script.js';
import { TRAINING_STYLE } from './training-style.js';
import { differenceTable, summaryTable } from './training-tables.js';

/** The charting library, as its files hold it. */
export interface ChartLibrary {
  readonly script: string;
  readonly style: string;
}

/** What changes in the page while training goes on: curves, and sections of HTML by the id of their element. */
export interface ReportData {
  readonly runs: readonly RunCurves[];
  readonly sections: Readonly<Record<string, string>>;
}

/** The data of the page of some runs. */
export function reportData(runs: readonly TrainingRun[]): ReportData {
  return {
    runs: runs.map(runCurves),
    sections: {
      facts: factSection(runs),
      summary: summaryTable(runs),
      configs: differenceTable(runs),
      omega: omegaSection(runs),
      norms: normSection(runs),
      samples: sampleSection(runs),
    },
  };
}

/**
 * A page with the curves and tables of training runs: one HTML file that needs no other.
 *
 * @param origin how it comes to be
 * @param poll where a server answers with newer ReportData; without it the page asks the network for nothing
 */
export function trainingPage(
  runs: readonly TrainingRun[],
  library: ChartLibrary,
  origin: PageOrigin,
  poll?: string,
): string {
  const { sections, runs: curves } = reportData(runs);
  const charts = chartsOf(curves);
  const title = runs.map(({ name }) => name).join(', ');
  const connect = poll === undefined ? '' : "; connect-src 'self'";
  return [
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    // The browser itself keeps the page from loading anything else.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'${connect}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)} – training</title>`,
    `<style>${library.style}\n${TRAINING_STYLE}</style>`,
    '</head>\n<body>',
    pageHeader(
      runs.length === 1 ? `Training of ${title}` : `${runs.length} training runs`,
      origin,
      '<span class="quiet" id="status" role="status"></span>',
    ),
    section('facts', sections),
    section('summary', sections),
    section('configs', sections),
    controls(runs),
    '<noscript><style>.controls, #charts { display: none; }</style><p class="note">The curves need JavaScript; the tables do not.</p></noscript>',
    `<div id="charts">${charts.map(panel).join('\n')}</div>`,
    section('samples', sections),
    section('omega', sections),
    section('norms', sections),
    `<script type="application/json" id="data">${embedJson({ charts, dashes: DASHES, runs: curves, poll })}</script>`,
    `<script>${library.script}</script>`,
    `<script>\n${trainingScript()}</script>\n</body>\n</html>\n`,
  ].join('\n');
}

function section(id: string, sections: ReportData['sections']): string {
  return `<section id="${id}">${sections[id]}</section>`;
}

function controls(runs: readonly TrainingRun[]): string {
  const buttons = runs.map(
    ({ name }, i) =>
      `<button type="button" class="run-${i % 8}" data-run="${i}" aria-pressed="true" title="Show or hide this run">` +
      `${sample(i)}${runKey(i)} ${escapeHtml(name)}</button>`,
  );
  return `<div class="controls">
<div class="runs" role="group" aria-label="Runs">${buttons.join('\n')}</div>
<label>x axis <select id="axis"><option value="updates">updates</option><option value="epochs">epochs</option><option value="hours">hours</option></select></label>
<label title="Over so much of the longest run">smoothing <input type="range" id="smoothing" min="0" max="10" step="0.5" value="1"> <output id="percent" for="smoothing">1 %</output></label>
<button type="button" id="reset" disabled title="Or press a chart twice">Whole range</button>
</div>`;
}

/** A piece of the line of a run. */
function sample(run: number): string {
  return `<svg class="sample" viewBox="0 0 30 6" aria-hidden="true"><line x1="0" x2="30" y1="3" y2="3" stroke-dasharray="${dashOf(run).join(' ')}"/></svg>`;
}

function panel({ id, title, unit, log }: ChartSpec): string {
  const heading = `${title}${unit && ` <span class="quiet">${unit}</span>`}`;
  const button =
    log === null
      ? ''
      : `<button type="button" id="log-${id}" aria-pressed="${log}" title="Logarithmic axis" aria-label="${title}: logarithmic axis">log</button>`;
  return (
    `<section class="panel"><div class="head"><h2>${heading}</h2>${button}</div>` +
    `<div class="readout" id="readout-${id}"></div><div class="plot" id="${id}"></div></section>`
  );
}
