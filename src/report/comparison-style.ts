/**
 * The style of the comparison page. A is blue and B orange, a pair that most colour-blind readers tell apart; every
 * mark has a second sign beside its colour: a letter, a line under the words, or weight.
 */
export const COMPARISON_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --raised: #f5f6f8; --line: #d9dce2; --ink: #17191d; --quiet: #5c6370;
  --a: #0b57a4; --a-tint: #dcebfb; --a-strong: #b5d6f8;
  --b: #9a4a00; --b-tint: #fdead2; --b-strong: #fbd09c;
  font: 15px/1.45 system-ui, sans-serif;
  background: var(--page); color: var(--ink);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171b; --raised: #1e2127; --line: #363b44; --ink: #e8eaee; --quiet: #a0a7b4;
    --a: #82bdf8; --a-tint: #16304c; --a-strong: #1f4b7a;
    --b: #f6ab5e; --b-tint: #432c12; --b-strong: #69430f;
  
  }
}
* { box-sizing: border-box; }
body { max-width: 1120px; margin: 0 auto; padding: 1.25rem 1rem 4rem; }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
p { margin: 0; }
.a { --own: var(--a); --tint: var(--a-tint); --strong: var(--a-strong); }
.b { --own: var(--b); --tint: var(--b-tint); --strong: var(--b-strong); }
.note, .quiet { color: var(--quiet); }
.key { display: inline-block; min-width: 1.5em; padding: 0 .35em; border-radius: 3px; text-align: center;
  font-weight: 600; color: var(--page); background: var(--own); }

.systems { display: grid; grid-template-columns: max-content 1fr; gap: .25rem .6rem; margin: 0; }
.systems dt, .systems dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin-top: 1rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem 1.25rem .3rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
thead th { color: var(--quiet); font-weight: 400; font-size: .87rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.number { font-size: 1.05rem; }
.interval { color: var(--quiet); font-size: .87rem; }
code { font: .8rem/1.4 ui-monospace, monospace; color: var(--quiet); overflow-wrap: anywhere; }

button, select, input { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--a); outline-offset: 1px; }
.sides, .histogram { max-width: 46rem; }
.sides { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .5rem; }
.sides button { padding: .3rem .7rem; border: 1px solid var(--line); border-radius: 6px; background: var(--page); }
.sides b { font-variant-numeric: tabular-nums; }
button[aria-pressed=true] { box-shadow: inset 0 0 0 2px var(--own, var(--ink)); }
.histogram { position: relative; display: flex; align-items: stretch; height: 8.5rem; margin-top: .75rem; padding: 0 .7rem; }
.hint { margin-top: .4rem; font-size: .87rem; }
.bar { position: relative; flex: 1 1 0; min-width: 0; display: flex; flex-direction: column; justify-content: flex-end;
  padding: 0 1px 1.2rem; border: 0; border-radius: 3px; background: none; }
.bar:disabled { cursor: default; }
.bar:not(:disabled):hover { background: var(--raised); }
.fill { display: block; flex: none; height: calc((100% - 1.2rem) * var(--share)); min-height: 2px; background: var(--own); }
.bar:disabled .fill { background: var(--line); min-height: 1px; }
.count { font-size: .75rem; line-height: 1.2rem; text-align: center; color: var(--quiet); }
.bar[aria-pressed=true] { box-shadow: none; }
.bar[aria-pressed=true] .count { color: var(--ink); font-weight: 700; }
.histogram:has([aria-pressed=true]) [aria-pressed=false] .fill { opacity: .35; }
.edge, .zero { position: absolute; bottom: 0; font-size: .75rem; line-height: 1.2rem; color: var(--quiet); }
.bar.a .edge { left: 0; transform: translateX(-50%); }
.bar.b .edge { right: 0; transform: translateX(50%); }
.zero { left: 50%; transform: translateX(-50%); }

.controls { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .9rem;
  margin: 1.25rem 0 0; padding: .6rem 0; background: var(--page); border-bottom: 1px solid var(--line); }
.controls label { display: inline-flex; align-items: center; gap: .4rem; }
.controls input[type=search] { flex: 1 1 12rem; min-width: 8rem; }
.controls input[type=search], .controls select, .controls button { padding: .25rem .5rem; border: 1px solid var(--line);
  border-radius: 6px; background: var(--page); }
#status { margin-left: auto; color: var(--quiet); font-variant-numeric: tabular-nums; }

.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: 1rem 0 0; padding: 0; list-style: none; font-size: .87rem; color: var(--quiet); }
.only { background: var(--tint); color: var(--ink); padding-bottom: 1px; box-shadow: inset 0 -2px var(--own); }
.only.alone { background: var(--strong); font-weight: 600; }
.unmatched { color: var(--quiet); text-decoration: underline dotted 1px; text-underline-offset: 3px; }
.matched { color: var(--ink); }

kbd { padding: 0 .35em; border: 1px solid var(--line); border-radius: 4px; font: .8rem ui-monospace, monospace; }

#segments { margin: 0; padding: 0; list-style: none; }
.segment { display: grid; grid-template-columns: 6rem 2.4rem 2.8rem minmax(0, 1fr); gap: .1rem .6rem; padding: .6rem 0;
  border-bottom: 1px solid var(--line); scroll-margin-top: 4rem; align-items: baseline; }
.segment:focus { outline: none; background: var(--raised); box-shadow: -.6rem 0 var(--raised), .6rem 0 var(--raised); }
.head { grid-column: 1; grid-row: 1 / span 3; display: flex; flex-direction: column; }
.line { color: var(--quiet); font-variant-numeric: tabular-nums; }
.gain { font-weight: 600; color: var(--own, var(--quiet)); white-space: nowrap; font-variant-numeric: tabular-nums; }
.who { grid-column: 2; color: var(--quiet); white-space: nowrap; }
.who.a, .who.b { font-weight: 600; color: var(--own); }
.segment .text { grid-column: 4; overflow-wrap: anywhere; }
.score { grid-column: 3; color: var(--quiet); text-align: right; font-variant-numeric: tabular-nums; }
#more { display: block; margin: 1rem auto; padding: .4rem 1.2rem; border: 1px solid var(--line); border-radius: 6px; background: var(--raised); }
#none { padding: 2rem 0; text-align: center; color: var(--quiet); }
[hidden] { display: none !important; }

@media (max-width: 640px) {
  .segment { grid-template-columns: 1.8rem 2.9rem minmax(0, 1fr); gap: .1rem .5rem; }
  .head { grid-column: 1 / -1; grid-row: auto; flex-direction: row; justify-content: space-between; }
  .who { grid-column: 1; }
  .segment .text { grid-column: 3; }
  .score { grid-column: 2; }
  code { white-space: nowrap; }
  .controls { position: static; }
  .segment { scroll-margin-top: 0; }
  #status { margin-left: 0; }
  .count, .bar[aria-pressed=true] { box-shadow: none; }
.bar[aria-pressed=true] .count { color: var(--ink); font-weight: 700; }
.histogram:has([aria-pressed=true]) [aria-pressed=false] .fill { opacity: .35; }
.edge, .zero { font-size: .65rem; }
}
@media print { .controls, #more { display: none; } }
`;
