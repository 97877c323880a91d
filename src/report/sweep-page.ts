import { escapeHtml } from './html.js';
import { factList, type PageOrigin, pageHeader } from './page-header.js';
import { curveSection } from './sweep-curves.js';
import { divergenceMap, htmlPanel, markdownPanel } from './sweep-map.js';
import type { SweepReport } from './sweep-results.js';
import { cellTable, groupTable, htmlTable, markdownTable } from './sweep-table.js';
import { TRAINING_STYLE } from './training-style.js';
import { DEFINITION, explainVerdicts, LETTERS, MEANINGS, type Verdict } from './verdict.js';

/** The verdicts' colours are those of the runs of the other pages. */
const STYLE = `
.converged { --own: var(--run-2); }
.learning { --own: var(--run-5); }
.early { --own: var(--run-1); }
.plateau { --own: var(--run-4); }
.diverged { --own: var(--run-6); }
.failed { --own: var(--run-3); }
.unfinished { --own: var(--run-7); }
.verdict { color: var(--own); font-weight: 600; }
.key.verdict { color: var(--page); }
.verdicts { list-style: none; padding: 0; }
.verdicts li { margin: .15rem 0; }
.panels { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; }
.map th, .map td { padding: .3rem .6rem; border: 1px solid var(--line); text-align: center; white-space: nowrap; font-variant-numeric: tabular-nums; }
.map thead td, .map .axis { border: 0; color: var(--quiet); font-weight: 400; font-size: .87rem; }
.map td[class] { color: var(--ink); font-weight: 400; background: color-mix(in srgb, var(--own) 22%, transparent); }
.map td b { color: var(--own); margin-right: .2em; }
.curves { grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); margin-top: .6rem; }
.curves figcaption { overflow-wrap: anywhere; }
figure line.plateau { stroke: var(--quiet); stroke-dasharray: 4 3; }
`;

const VERDICTS = Object.keys(LETTERS) as Verdict[];

/** What stands below the table of the groups. */
function notesOf({ signatures, groups }: SweepReport): string[] {
  const spreads = 'Mean ± sample standard deviation over the seeds; losses in bits a target token.';
  if (signatures.length === 0) return [spreads];
  const paired =
    `p: paired approximate randomization against ${groups[0].name}, on the segments of all seeds that both have, ` +
    'paired by seed; it speaks of these trainings and this test text. * marks a difference that chance hardly makes: p is ' +
    'at most 0.05, also when trials with just this difference count, and six segments or more differ. "same text", or ' +
    '"same counts" of another text every line of which counts the same, stand where p would say nothing.';
  return [spreads, paired, ...signatures];
}

function messagesOf({ groups }: SweepReport): string[] {
  return groups.flatMap(({ cells }) =>
    cells.flatMap(({ name, message }) => (message === null ? [] : [`${name}: ${message}`])),
  );
}

/** The report in Markdown. */
export function sweepMarkdown(report: SweepReport, { version, date, command }: PageOrigin): string {
  const panels = divergenceMap(report);
  const messages = messagesOf(report);
  const blocks = [
    `# ${report.title}`,
    `admin-nmt ${version}, ${date}: \`${command}\``,
    report.facts.map(([name, value]) => `- ${name}: ${value}`).join('\n'),
    markdownTable(groupTable(report)),
    `A letter for each seed:`,
    explainVerdicts()
      .map((line) => `- ${line}`)
      .join('\n'),
    [DEFINITION, ...notesOf(report)].join('\n\n'),
    ...(panels.length === 0 ? [] : ['## Divergence map', ...panels.map(markdownPanel)]),
    '## Cells',
    markdownTable(cellTable(report)),
    ...(messages.length === 0 ? [] : ['## What went wrong', messages.map((line) => `- ${line}`).join('\n')]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** The report as one HTML file that needs no other. */
export function sweepPage(report: SweepReport, origin: PageOrigin): string {
  const title = escapeHtml(report.title);
  return [
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${title} – sweep</title>`,
    `<style>${TRAINING_STYLE}${STYLE}</style>`,
    '</head>\n<body>',
    pageHeader(`Sweep ${report.title}`, origin),
    factList(report.facts),
    htmlTable(groupTable(report)),
    verdictKey(),
    ...[DEFINITION, ...notesOf(report)].map((note) => `<p class="note">${escapeHtml(note)}</p>`),
    mapSection(report),
    curveSection(report),
    `<h2>Cells</h2>\n${htmlTable(cellTable(report))}`,
    messageSection(report),
    '</body>\n</html>\n',
  ].join('\n');
}

/** What the letters mean. */
function verdictKey(): string {
  const items = VERDICTS.map(
    (verdict) =>
      `<li><span class="key verdict ${verdict}">${LETTERS[verdict]}</span> ${verdict}: ${MEANINGS[verdict]}</li>`,
  );
  return `<p class="note">A letter for each seed:</p>\n<ul class="note verdicts">${items.join('')}</ul>`;
}

function mapSection(report: SweepReport): string {
  const panels = divergenceMap(report);
  if (panels.length === 0) return '';
  const note = 'A letter for each seed, as above, and the mean of the best validation losses.';
  return `<h2>Divergence map</h2>\n<p class="note">${note}</p>\n<div class="panels">${panels.map(htmlPanel).join('\n')}</div>`;
}

function messageSection(report: SweepReport): string {
  const messages = messagesOf(report).map((line) => `<li>${escapeHtml(line)}</li>`);
  return messages.length === 0 ? '' : `<h2>What went wrong</h2>\n<ul>${messages.join('')}</ul>`;
}
