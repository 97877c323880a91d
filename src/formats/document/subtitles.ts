import { type DocumentPart, type Piece, partOf, within } from './part.js';

/** The part of the text of a cue that is translated, between tags that enclose all of it. */
const ENCLOSED = /^((?:<[^<>]*>|\{\\[^{}]*\})*)([\s\S]*?)((?:<\/[^<>]*>)*)$/;

/**
 * The blocks of SubRip (.srt) and WebVTT (.vtt) files: numbers, times, notes and styles stay what they are, and so do tags that
 * enclose a whole text. Lines of a text are one sentence, written on as many lines; those that begin with a dash are speakers.
 */
export async function* subtitleParts(lines: AsyncIterable<string>): AsyncGenerator<DocumentPart> {
  let block: string[] = [];
  for await (const line of lines) {
    if (line.trim() !== '') {
      block.push(line);
      continue;
    }
    yield within(partOfBlock(block), (text) => `${text}${line}\n`);
    block = [];
  }
  if (block.length > 0) yield partOfBlock(block);
}

function partOfBlock(block: readonly string[]): DocumentPart {
  const times = block.findIndex((line) => line.includes('-->'));
  const kept = block.slice(0, times === -1 ? block.length : times + 1).map((line) => `${line}\n`);
  const texts = block.slice(kept.length);
  if (texts.length === 0) return partOf(kept);
  const speakers = texts.every((line) => /^\s*[-–]/.test(line));
  const parts = speakers ? texts.map(partOfSpeaker) : [partOfText(texts)];
  return {
    segments: parts.flatMap(({ segments }) => segments),
    assemble: (translations) => {
      let first = 0;
      const own = parts.map(({ segments, assemble }) => {
        const text = assemble(translations.slice(first, first + segments.length));
        first += segments.length;
        return `${text}\n`;
      });
      return [...kept, ...own].join('');
    },
  };
}

function partOfSpeaker(line: string): DocumentPart {
  const [, dash, text] = /^(\s*[-–]\s*)(.*)$/.exec(line)!;
  return within(partOfText([text]), (translated) => `${dash}${translated}`);
}

function partOfText(lines: readonly string[]): DocumentPart {
  const [, before, text, after] = ENCLOSED.exec(lines.join(' '))!;
  const plain = text.replace(/<[^<>]*>/g, '').trim();
  const pieces: Piece[] = plain === '' ? [text] : [{ segment: plain }];
  return within(partOf(pieces), (translated) => `${before}${balanced(translated, lines.length)}${after}`);
}

/** A text on so many lines of like length, as far as it has words. */
function balanced(text: string, count: number): string {
  const lines: string[] = [];
  let rest = text;
  for (let left = count; left > 1 && rest.includes(' '); left--) {
    const middle = rest.length / left;
    const gaps = [...rest.matchAll(/ /g)].map(({ index }) => index);
    const at = gaps.reduce((best, gap) => (Math.abs(gap - middle) < Math.abs(best - middle) ? gap : best));
    lines.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  return [...lines, rest].join('\n');
}
