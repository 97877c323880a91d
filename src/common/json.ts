/** Deeper than anything that a file of ours holds; what walks a value calls itself for each level. */
const MOST_LEVELS = 100;

const [QUOTE, BACKSLASH] = ['"', '\\'].map((letter) => letter.charCodeAt(0));
const [OPENING, CLOSING] = ['[{', ']}'].map((pair) => [...pair].map((letter) => letter.charCodeAt(0)));

/** Parses JSON. @throws Error for what is none, or goes deeper than any file of this program */
export function parseJson(text: string): unknown {
  if (depthOf(text) > MOST_LEVELS) throw new Error(`expected at most ${MOST_LEVELS} levels, found more`);
  return JSON.parse(text);
}

/** The most brackets that are open at a time, strings left out. */
function depthOf(text: string): number {
  let [depth, most] = [0, 0];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text.charCodeAt(i);
    if (quoted && letter === BACKSLASH) i++;
    else if (letter === QUOTE) quoted = !quoted;
    else if (!quoted && OPENING.includes(letter)) most = Math.max(most, ++depth);
    else if (!quoted && CLOSING.includes(letter)) depth--;
  }
  return most;
}
