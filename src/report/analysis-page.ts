import type { Analysis, Subject } from './analysis-data.js';
import { ANALYSIS_STYLE } from './analysis-style.js';
import { dependencySection } from './dependency-section.js';
import { gradientSection } from './gradient-section.js';
import { escapeHtml } from './html.js';
import { omegaCourseSection } from './omega-course-section.js';
import { outputChangeSection } from './output-change-section.js';
import { type Facts, factList, type PageOrigin, pageHeader } from './page-header.js';
import { TRAINING_STYLE } from './training-style.js';
import { updateSection } from './update-section.js';

/**
 * A page with the charts of an analysis: one HTML file without scripts that asks the network for nothing.
 *
 * @param trained what the models are
 * @param origin how the page comes to be
 */
export function analysisPage(analysis: Analysis, trained: Facts, origin: PageOrigin): string {
  const { dependency, outputChange, gradients, updates, omega } = analysis;
  const sections = [
    dependency && dependencySection(dependency),
    outputChange && outputChangeSection(outputChange),
    gradients && gradientSection(gradients),
    updates && updateSection(updates),
    omega && omegaCourseSection(omega),
  ].filter((section) => section !== undefined);
  const title = `Analysis of ${schemesOf(analysis).join(', ')}`;
  return [
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    // The browser itself keeps the page from loading anything.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${TRAINING_STYLE}${ANALYSIS_STYLE}</style>`,
    '</head>\n<body>',
    pageHeader(title, origin),
    factList([...trained, ['Measured', measured(analysis)]]),
    ...sections.map((section) => `<section>${section}</section>`),
    '</body>\n</html>\n',
  ].join('\n');
}

/** The residual schemes of all models. */
function schemesOf({ dependency, outputChange, gradients, updates, omega }: Analysis): string[] {
  const measures: readonly (readonly Subject[] | undefined)[] = [
    dependency,
    outputChange?.changes,
    gradients,
    updates,
    omega,
  ];
  return [...new Set(measures.flatMap((models = []) => models.map(({ residual }) => residual)))];
}

function measured({ batch, dropout, seed }: Analysis): string {
  if (batch === null) return 'read from checkpoints';
  const { split, number, sentences, sourceTokens, targetTokens } = batch;
  return (
    `on batch ${number} of the ${split} split (${sentences} sentence pairs, ${sourceTokens} source and ` +
    `${targetTokens} target tokens), dropout ${dropout ? 'on' : 'off'}, seed ${seed}`
  );
}
