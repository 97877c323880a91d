/** Hygiene of lines; all of it is off unless the config asks for it. */
export interface CleanOptions {
  /** Bring text to Unicode normalisation form C. */
  readonly nfc: boolean;
  /** Collapse runs of white space (Unicode's, tabs too) to one space and strip both ends. */
  readonly whitespace: boolean;
}

/** What cleans a line, or undefined where there is nothing to do. */
export function lineCleaner({ nfc, whitespace }: CleanOptions): ((line: string) => string) | undefined {
  if (!nfc && !whitespace) return undefined;
  return (line) => {
    const composed = nfc ? line.normalize('NFC') : line;
    return whitespace ? composed.replace(/\s+/gu, ' ').trim() : composed;
  };
}
