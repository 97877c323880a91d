/** What the page to type into does: it asks once typing pauses, and drops what it asked for when the text changes. */
export const TRANSLATE_SCRIPT = `
'use strict';
const at = (id) => document.getElementById(id);
const [pair, text, translation, status, others, copy, token] = ['pair', 'text', 'translation', 'status', 'others', 'copy', 'token'].map(at);
const PAUSE = 250, ALTERNATIVES = 3;
let timer, asking;

function say(message, bad) {
  status.textContent = message;
  status.className = bad ? 'bad' : '';
}

function show(answer) {
  translation.textContent = answer ? answer.translatedText : '';
  translation.className = '';
  copy.disabled = !answer;
  others.replaceChildren(...((answer && answer.alternatives) || []).map((alternative) => {
    const item = document.createElement('li');
    item.textContent = alternative;
    return item;
  }));
}

async function translate() {
  if (asking) asking.abort();
  const q = text.value;
  if (q.trim() === '') { show(undefined); say(''); return; }
  const own = asking = new AbortController();
  const { source, target } = pair.selectedOptions[0].dataset;
  const alternatives = q.trim().includes('\\n') ? 0 : ALTERNATIVES;
  const headers = { 'Content-Type': 'application/json' };
  if (token.value) headers.Authorization = 'Bearer ' + token.value;
  translation.className = 'old';
  say('Translating …');
  const started = performance.now();
  try {
    const body = JSON.stringify({ q, source, target, alternatives });
    const response = await fetch('/translate', { method: 'POST', headers, body, signal: own.signal });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    show(answer);
    say(((performance.now() - started) / 1000).toFixed(2) + ' s');
  } catch (error) {
    if (own.signal.aborted) return;
    translation.className = 'old';
    say(error instanceof TypeError ? 'The server does not answer.' : error.message, true);
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(translate, PAUSE);
}

if (location.hash.length > 1) { // a link with a text in it
  text.value = decodeURIComponent(location.hash.slice(1));
  translate();
}
text.addEventListener('input', soon);
token.addEventListener('input', soon);
pair.addEventListener('change', translate);
copy.addEventListener('click', async () => {
  const range = document.createRange();
  range.selectNodeContents(translation);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  try { await navigator.clipboard.writeText(translation.textContent); say('Copied'); } catch { say('Selected: copy with Ctrl-C'); }
});
`;
