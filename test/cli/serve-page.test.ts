import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chromium, Page } from './browser.js';
import { type Served, start, translate } from './served.js';

const skip = chromium === undefined && 'no chromium is installed (Debian: apt-get install chromium)';

describe('the page of serve in a browser', { skip }, () => {
  let served: Served;
  let page: Page;
  before(async () => {
    [served, page] = await Promise.all([start('--max-request-tokens', '40'), Page.open(chromium!)]);
    await page.call('Page.navigate', { url: `http://127.0.0.1:${served.port}/` });
    await page.until(`document.readyState === 'complete' && document.getElementById('text') !== null`);
  });
  after(async () => {
    served?.child.kill('SIGKILL');
    await page?.close();
  });

  const textOf = (id: string) => page.value(`document.getElementById('${id}').textContent`);
  const type = async (text: string) => {
    // What is said of the text before must not be taken for what is said of this one.
    await page.value(`document.getElementById('status').textContent = ''`);
    await page.value(`document.getElementById('text').select()`);
    await page.call('Input.insertText', { text });
  };
  const settled = `/ s$/.test(document.getElementById('status').textContent)`;

  test('what is typed is translated, with its alternatives', async () => {
    assert.equal(await page.value('document.activeElement.id'), 'text', 'one may type at once');
    await type('a b');
    await page.until(settled);
    const q = { q: 'a b', alternatives: 3 };
    const { translatedText, alternatives } = JSON.parse((await translate(served.port, q)).text);
    assert.equal(await textOf('translation'), translatedText);
    const items = `[...document.querySelectorAll('#others li')].map((item) => item.textContent)`;
    assert.deepEqual(await page.value(items), alternatives);
    assert.equal(await page.value(`document.getElementById('copy').disabled`), false);
  });

  test('a text that is too long: the words of the server, in the colour of errors', async () => {
    await type('a '.repeat(100));
    await page.until(`document.getElementById('status').className === 'bad'`);
    assert.match(String(await textOf('status')), /at most 40 tokens, found/);
    await type('b');
    await page.until(settled);
    assert.equal(await page.value(`document.getElementById('status').className`), '');
  });

  test('a translation with marks of HTML stays text', async () => {
    const marked = '<img src=x><b>a';
    await page.value(`{
      const own = fetch;
      const translatedText = '${marked}';
      window.fetch = async () => {
        window.fetch = own;
        return Response.json({ translatedText, alternatives: [translatedText] });
      };
    }`);
    await type('a');
    await page.until(settled);
    assert.equal(await textOf('translation'), marked);
    assert.equal(await textOf('others'), marked);
    assert.equal(await page.value('document.images.length'), 0);
  });

  for (const [scheme, width, columns] of [
    ['light', 1280, 2],
    ['dark', 1280, 2],
    ['dark', 320, 1],
  ] as const)
    test(`${scheme}, ${width} pixels wide: ${columns} columns, legible, and nothing to scroll to the side`, async () => {
      const size = { width, height: 640, deviceScaleFactor: 1, mobile: width < 600 };
      await page.call('Emulation.setDeviceMetricsOverride', size);
      await page.call('Emulation.setEmulatedMedia', {
        features: [{ name: 'prefers-color-scheme', value: scheme }],
      });
      await page.value(FILL);
      const [scrolled, shown] = (await page.value(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      )) as number[];
      assert.ok(scrolled <= shown, `${scrolled} pixels in ${shown}`);
      const styles = `getComputedStyle(document.querySelector('main')).gridTemplateColumns.split(' ').length`;
      assert.equal(await page.value(styles), columns);
      const [ink, ground] = (await page.value(COLORS)) as string[];
      assert.ok(contrast(ink, ground) >= 7, `${ink} on ${ground}`);
      assert.equal(luminance(ground) < 0.2, scheme === 'dark');
    });

  test('nothing was asked of anyone but this server', () => {
    const own = `http://127.0.0.1:${served.port}/`;
    const others = page.asked.filter((url) => !url.startsWith(own) && !url.startsWith('data:'));
    assert.deepEqual(others, []);
    assert.ok(page.asked.includes(`${own}translate`));
  });
});

/** Puts a word that no line has room for wherever the page shows text. */
const FILL = `{
  const long = 'Donaudampfschifffahrt'.repeat(20);
  const item = document.createElement('li');
  for (const box of [...['translation', 'status'].map((id) => document.getElementById(id)), item]) box.textContent = long;
  document.getElementById('others').replaceChildren(item);
}`;

const COLORS = `[
  getComputedStyle(document.getElementById('text')).color,
  getComputedStyle(document.getElementById('translation')).backgroundColor,
]`;

/** Relative luminance and contrast of WCAG 2. @param color `rgb(r, g, b)` */
function luminance(color: string): number {
  const [red, green, blue] = color.match(/\d+/g)!.map((value) => {
    const part = Number(value) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((one, other) => other - one);
  return (light + 0.05) / (dark + 0.05);
}
