/** Hygiene of lines; all of it is off unless the config asks for it. */
export interface CleanOptions {
  /** Bring text to Unicode normalisation form C. */
  readonly nfc: boolean;
  /** Collapse runs of white space (Unicode's, tabs too) to one space and strip both ends. */
  readonly whitespace: boolean;
}

/** JavaScript's `\s` lacks U+0085, which Unicode has among its white space. */
const WHITE_SPACE = /[\s\x85]+/gu;
/** White space of Unicode's, control characters, and what is drawn as nothing: marks of zero width, fillers, … */
const VISIBLE = /[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}]/u;

/**
 * What brings a raw line into the form that is segmented. It is the one way, for the text of a dataset and for all that
 * a model reads after training. A line in which nothing can be seen is empty, whatever the options.
 */
export function lineCleaner({ nfc, whitespace }: CleanOptions): (line: string) => string {
  return (line) => {
    if (!VISIBLE.test(line)) return '';
    const composed = nfc ? line.normalize('NFC') : line;
    return whitespace ? composed.replace(WHITE_SPACE, ' ').trim() : composed;
  };
}

/** As lineCleaner, of the bytes of a line. A line that stays as it is is no copy. */
export function bytesCleaner(options: CleanOptions): (line: Buffer) => Buffer {
  const clean = lineCleaner(options);
  const mayStay = !options.nfc && !options.whitespace;
  return (line) => (mayStay && hasVisibleAscii(line) ? line : Buffer.from(clean(line.toString())));
}

function hasVisibleAscii(line: Buffer): boolean {
  for (let i = 0; i < line.length; i++) if (line[i] > 0x20 && line[i] < 0x7f) return true;
  return false;
}
