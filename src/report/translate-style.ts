/** The style of the page to type into. */
export const TRANSLATE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --raised: #f5f6f8; --line: #d9dce2; --ink: #17191d; --quiet: #5c6370; --accent: #0b57a4; --bad: #b3261e;
  font: 16px/1.5 system-ui, sans-serif; background: var(--page); color: var(--ink);
}
@media (prefers-color-scheme: dark) {
  :root { --page: #15171b; --raised: #1e2127; --line: #363b44; --ink: #e8eaee; --quiet: #a0a7b4; --accent: #6db3ff; --bad: #ff8078; }
}
* { box-sizing: border-box; }
body { max-width: 1100px; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
header { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; margin-bottom: 1rem; }
h1 { margin: 0; font-size: 1.3rem; line-height: 1.25; }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
section { display: flex; flex-direction: column; min-width: 0; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
section:focus-within { border-color: var(--accent); }
.head { display: flex; align-items: center; justify-content: space-between; gap: .5rem; min-height: 2.9rem; padding: .4rem .9rem;
  border-bottom: 1px solid var(--line); }
h2 { margin: 0; font-size: .9rem; font-weight: 600; color: var(--quiet); }
label { display: inline-flex; align-items: center; gap: .5rem; color: var(--quiet); font-size: .9rem; }
textarea, output { display: block; width: 100%; min-height: 15rem; margin: 0; padding: .9rem; border: 0; background: none; color: inherit;
  font: inherit; font-size: 1.1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
textarea { flex: 1; resize: vertical; outline: 0; }
output { flex: 1; background: var(--raised); }
output.old { color: var(--quiet); }
select, input, button { font: inherit; font-size: .9rem; color: inherit; padding: .25rem .6rem; border: 1px solid var(--line); border-radius: 6px; background: var(--page); }
button { cursor: pointer; }
button:disabled { opacity: .45; cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
textarea:focus-visible { outline: 0; }
#status { min-height: 1.5rem; margin: .6rem 0 0; color: var(--quiet); font-size: .9rem; overflow-wrap: anywhere; }
#status.bad { color: var(--bad); }
#others { margin: 1rem 0 0; padding: 0; list-style: none; }
#others:not(:empty)::before { content: 'Other translations'; color: var(--quiet); font-size: .9rem; font-weight: 600; }
#others li { padding: .45rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
[hidden] { display: none; }
@media (max-width: 42rem) {
  main { grid-template-columns: minmax(0, 1fr); }
  textarea, output { min-height: 9rem; }
}
`;
