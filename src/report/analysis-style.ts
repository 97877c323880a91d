/** The style of the page of `analyze`, over that of the training report. */
export const ANALYSIS_STYLE = `
h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.maps { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); gap: 1rem 1.5rem; margin-top: .6rem; }
.maps figure { max-width: 340px; }
@media (max-width: 760px) { .maps { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.legend { display: block; width: 312px; max-width: 100%; margin-top: .6rem; }
.legend .tick { fill: var(--quiet); font-size: 11px; }
.cell { fill: var(--run-0); }
.outlined, .outline { stroke: var(--line); stroke-width: 1; }
.outline { fill: none; }
figure .faint polyline { stroke-width: 4; opacity: .3; }
.note { margin-top: .3rem; }
.pair + .note { margin-top: .8rem; }
`;
