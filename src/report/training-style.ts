/**
 * The style of the training report. The colours of runs follow Okabe and Ito's, which colour-blind readers tell
 * apart, darker on white and lighter on black; each run has a number and a dash of its own as well.
 */
export const TRAINING_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --raised: #f5f6f8; --line: #d9dce2; --grid: #eceef2; --ink: #17191d; --quiet: #5c6370;
  --run-0: #0b57a4; --run-1: #b85c00; --run-2: #00795c; --run-3: #a8327d;
  --run-4: #8a6d00; --run-5: #0086b3; --run-6: #c0272d; --run-7: #55595f;
  font: 15px/1.45 system-ui, sans-serif;
  background: var(--page); color: var(--ink);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171b; --raised: #1e2127; --line: #363b44; --grid: #262a31; --ink: #e8eaee; --quiet: #a0a7b4;
    --run-0: #6db3ff; --run-1: #ffa64d; --run-2: #3fd0a4; --run-3: #f290cb;
    --run-4: #e3cd4a; --run-5: #7fe0ff; --run-6: #ff8078; --run-7: #b9bec7;
  }
}
${Array.from({ length: 8 }, (_, i) => `.run-${i} { --own: var(--run-${i}); }`).join('\n')}
* { box-sizing: border-box; }
body { max-width: 1200px; margin: 0 auto; padding: 1.25rem 1rem 4rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1rem; }
h1 { margin: 0; font-size: 1.4rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .4rem; font-size: 1rem; }
h3 { margin: 1rem 0 .3rem; font-size: .87rem; }
p { margin: 0; }
.note, .quiet { color: var(--quiet); font-weight: 400; }
.note { font-size: .87rem; max-width: 48rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .6rem 0 0; font-size: .93rem; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
#facts td { min-width: 11rem; font-size: .87rem; }
.key { display: inline-block; min-width: 1.5em; padding: 0 .35em; border-radius: 3px; text-align: center;
  font-weight: 600; color: var(--page); background: var(--own); }
code { font: .87rem/1.4 ui-monospace, monospace; }

.scroll { overflow-x: auto; margin-top: .6rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem 1.25rem .3rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
thead th { color: var(--quiet); font-weight: 400; font-size: .87rem; }
.samples { width: 100%; }
.samples td:last-child { width: 100%; min-width: 24rem; }
.samples thead td { color: var(--ink); }
.samples tbody th { padding-right: .6rem; border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.state { white-space: nowrap; }
.state span { display: inline-block; width: 1.3em; font-size: .8em; text-align: center; }
.diverged { color: var(--run-6); font-weight: 600; }
.running { color: var(--run-2); font-weight: 600; }

button, select, input { font: inherit; color: inherit; }
button { cursor: pointer; }
button:disabled { cursor: default; opacity: .45; }
:focus-visible { outline: 2px solid var(--run-0); outline-offset: 1px; }
.controls { position: sticky; top: 0; z-index: 200; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1rem;
  margin: 1.5rem 0 .75rem; padding: .6rem 0; background: var(--page); border-bottom: 1px solid var(--line); }
.controls label { display: inline-flex; align-items: center; gap: .4rem; color: var(--quiet); }
.controls select { color: var(--ink); }
.controls button, .controls select { padding: .2rem .55rem; border: 1px solid var(--line); border-radius: 6px; background: var(--page); }
.controls input { width: 7rem; accent-color: var(--run-0); }
output { min-width: 3em; font-variant-numeric: tabular-nums; }
.runs { display: flex; flex-wrap: wrap; gap: .4rem; flex: 1 1 20rem; max-height: 6.6rem; overflow-y: auto; }
.sample { width: 30px; height: 6px; margin-right: .45em; vertical-align: .12em; }
.sample line { stroke: var(--own); stroke-width: 2; }
.runs [aria-pressed=false] { color: var(--quiet); text-decoration: line-through; }
.runs [aria-pressed=false] > * { opacity: .3; }

#charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem 1.5rem; }
.head { display: flex; align-items: baseline; justify-content: space-between; gap: .6rem; }
.head h2 { margin: 0; font-size: .95rem; }
.head button { padding: 0 .5rem; border: 1px solid var(--line); border-radius: 5px; background: none; color: var(--quiet); font-size: .8rem; }
.head button[aria-pressed=true] { color: var(--page); background: var(--quiet); border-color: var(--quiet); }
.head:has([aria-pressed=true]) h2::after { content: ' (log scale)'; color: var(--quiet); font-weight: 400; }
.readout { display: flex; flex-wrap: wrap; gap: 0 .9rem; min-height: 1.35rem; font-size: .8rem; font-variant-numeric: tabular-nums; color: var(--quiet); }
.readout b { color: var(--own); font-weight: 600; }
.plot { min-height: 215px; }
.none { display: grid; place-items: center; height: 190px; border: 1px dashed var(--line); border-radius: 6px; color: var(--quiet); font-size: .87rem; }
.u-select { background: color-mix(in srgb, var(--run-0) 18%, transparent); }
.u-vt .u-cursor-x, .u-hz .u-cursor-x { border-right: 1px solid var(--quiet); }
.uplot { width: 100%; }

figure { margin: 0; }
figcaption { font-size: .87rem; color: var(--quiet); }
figure svg { display: block; width: 100%; height: auto; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem 1.5rem; margin-top: .6rem; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(175px, 1fr)); gap: .6rem 1rem; }
figure .grid { stroke: var(--grid); stroke-width: 1; }
figure .tick { fill: var(--quiet); font-size: 11px; }
figure g line, figure polyline { stroke: var(--own); stroke-width: 1.5; fill: none; }
figure circle { fill: var(--own); }
figure .label { fill: var(--own); font-size: 11px; font-weight: 600; }
details .scroll { margin-top: .3rem; }
figure .ring { fill: var(--page); stroke: var(--own); stroke-width: 1.3; }
details { margin-top: .6rem; }
summary { cursor: pointer; color: var(--quiet); font-size: .87rem; }

@media (max-width: 760px) {
  #charts, .pair { grid-template-columns: minmax(0, 1fr); }
  .controls { position: static; }
}
@media print { .controls, .head button { display: none; } }
`;
