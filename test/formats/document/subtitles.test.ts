import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subtitleParts } from '../../../src/formats/document/subtitles.js';

async function translated(file: string, translate: (segment: string) => string): Promise<string> {
  async function* lines() {
    yield* file.replace(/\n$/, '').split('\n');
  }
  let text = '';
  for await (const { segments, assemble } of subtitleParts(lines()))
    text += assemble(segments.map(translate));
  return text;
}

const SRT = `1
00:00:01,000 --> 00:00:02,500
<i>Two dogs play
in the snow.</i>

2
00:00:03,000 --> 00:00:04,000
- Yes.
- No.

3
00:00:05,000 --> 00:00:06,000
`;
const VTT = `WEBVTT - a title

NOTE left alone
--

intro
00:01.000 --> 00:02.000 align:start
One line
`;

test('numbers, times, notes and line breaks stay; a text is one sentence', async () => {
  const seen: string[] = [];
  const same = (segment: string): string => {
    seen.push(segment);
    return segment;
  };
  assert.equal(await translated(SRT, same), SRT);
  assert.equal(await translated(VTT, same), VTT);
  assert.deepEqual(seen, ['Two dogs play in the snow.', 'Yes.', 'No.', 'One line']);
  assert.match(await translated(SRT, () => 'a b c d'), /<i>a b\nc d<\/i>\n\n2\n.*\n- a b c d\n- a b c d\n/);
  assert.match(await translated(VTT, () => 'x y'), /align:start\nx y\n$/);
});
