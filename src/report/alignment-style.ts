/** The style of the page of alignments, over that of the training report. */
export const ALIGNMENT_STYLE = `
section { padding: .8rem 0; border-bottom: 1px solid var(--line); }
section h2 { margin: 0 0 .3rem; font-size: .8rem; font-weight: 400; color: var(--quiet); }
.side { font-size: 1.1rem; line-height: 1.7; overflow-wrap: anywhere; }
.side span { padding: .1em .2em; border-radius: 4px; }
.side .chosen { outline: 2px solid var(--run-0); }
.side .lit, .matrix td { background: color-mix(in srgb, var(--run-1) calc(.55 * var(--weight, 0%)), transparent); }
summary { margin-top: .3rem; color: var(--quiet); font-size: .87rem; cursor: pointer; }
.matrix { font-size: .8rem; }
.matrix th, .matrix td { padding: .1rem .3rem; border: 0; }
.matrix tbody th { text-align: right; font-weight: 400; }
.matrix thead th { vertical-align: bottom; font-weight: 400; color: var(--ink); }
.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); }
.matrix td { min-width: 2.1em; text-align: center; font-variant-numeric: tabular-nums; }
.matrix .linked { outline: 1px solid var(--ink); outline-offset: -1px; }
`;
