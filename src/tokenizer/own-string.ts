/** V8 keeps the whole text alive for a part of at least this length. */
const SLICE_LENGTH = 13;

/** The same string without the text that it was cut from: for keys of maps that outlive the text. */
export function ownString(part: string): string {
  return part.length < SLICE_LENGTH ? part : Buffer.from(part, 'utf16le').toString('utf16le');
}
