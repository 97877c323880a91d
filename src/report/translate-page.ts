import { escapeHtml } from './html.js';
import { TRANSLATE_SCRIPT } from './translate-script.js';
import { TRANSLATE_STYLE } from './translate-style.js';

/** What a page to type into is for. */
export interface TranslatePageFacts {
  /** Languages of each model, and what it is called. */
  readonly pairs: readonly { readonly name: string; readonly source: string; readonly target: string }[];
  /** Whether the server asks for a token. */
  readonly asksToken: boolean;
}

/** A page to type into, which asks `/translate` of the server that it comes from, and nothing else. */
export function translatePage({ pairs, asksToken }: TranslatePageFacts): string {
  const options = pairs.map(({ name, source, target }) => {
    const [from, to] = [source, target].map(escapeHtml);
    return `<option data-source="${from}" data-target="${to}">${from} → ${to} (${escapeHtml(name)})</option>`;
  });
  return [
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    // The browser itself keeps the page from loading anything else.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<link rel="icon" href="data:,">',
    `<title>Translate</title>\n<style>${TRANSLATE_STYLE}</style>\n</head>\n<body>`,
    '<header><h1>Translate</h1>',
    `<label${asksToken ? '' : ' hidden'}>Token <input id="token" type="password" autocomplete="off"></label>`,
    `<label>Languages <select id="pair">${options.join('')}</select></label></header>`,
    '<main><section><div class="head"><h2 id="from">Text</h2></div>',
    '<textarea id="text" aria-labelledby="from" autofocus spellcheck="false" placeholder="Type or paste text"></textarea></section>',
    '<section><div class="head"><h2 id="to">Translation</h2><button id="copy" type="button" disabled>Copy</button></div>',
    '<output id="translation" aria-labelledby="to" aria-live="polite"></output></section></main>',
    '<p id="status" role="status"></p>\n<ul id="others"></ul>',
    `<noscript><p>This page needs JavaScript.</p></noscript>\n<script>${TRANSLATE_SCRIPT}</script>\n</body>\n</html>\n`,
  ].join('\n');
}
