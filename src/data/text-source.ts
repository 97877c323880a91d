import { createReadStream, fstatSync } from 'node:fs';
import process from 'node:process';
import { pipeline } from 'node:stream';
import { explainFileError, systemError, UserError } from '../common/errors.js';
import { IdList } from '../common/id-list.js';
import { wasClosed } from '../common/standard-output.js';
import { checkText, type LineBytes } from './line-bytes.js';

/** Stands for standard input in place of a file's name. */
export const STDIN = '-';

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 18;
/** A line longer than this is no text: it would have to be held in memory whole. */
const MAX_LINE_BYTES = 1 << 26;
const NEWLINE = 0x0a;

export interface ReadOptions {
  /** Sees the bytes of the file as they lie on the disk, before they are unpacked: for checksums. */
  readonly onBytes?: (bytes: Buffer) => void;
  /** Leaves a byte order mark at the start of the file in the text. */
  readonly keepMark?: boolean;
}

/**
 * The lines of a text file, plain or gzipped (told by its first bytes), read as they are asked for. The line break
 * is removed, with a carriage return before it, and so is a byte order mark at the start of the file.
 *
 * @param file a path, or '-' for standard input
 * @throws UserError for a file that cannot be read or unpacked, and with `file:line` for bytes that are not UTF-8,
 *   a NUL byte, or a line of more than 64 MiB
 */
export async function* readLines(
  file: string,
  options: ReadOptions = {},
): AsyncGenerator<string, void, void> {
  for await (const block of readLineBlocks(file, options)) yield* block;
}

/** As readLines, many lines at a time. */
export async function* readLineBlocks(
  file: string,
  options: ReadOptions = {},
): AsyncGenerator<string[], void, void> {
  for await (const { name, line, bytes } of readByteBlocks(file, options)) {
    checkText(bytes, name, line);
    let text = bytes.toString('utf8');
    if (line === 1 && options.keepMark !== true && text.startsWith('\ufeff')) text = text.slice(1);
    const lines = text.split('\n');
    yield text.includes('\r') ? lines.map(withoutCarriageReturn) : lines;
  }
}

/** As readLineBlocks, before anything is checked but the length of lines. */
export async function* readByteBlocks(
  file: string,
  options: ReadOptions = {},
): AsyncGenerator<LineBlock, void, void> {
  const name = file === STDIN ? 'standard input' : file;
  const cutter = new LineCutter(name);
  try {
    for await (const chunk of readBytes(file, options)) {
      const block = cutter.cut(chunk);
      if (block !== undefined) yield block;
    }
  } catch (error) {
    throw explainReadError(error, name);
  }
  const last = cutter.end();
  if (last !== undefined) yield last;
}

function explainReadError(error: unknown, name: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code !== 'Z_BUF_ERROR' && code !== 'Z_DATA_ERROR') return explainFileError(error, name);
  return new UserError(
    {
      problem: `expected gzip data, found ${code === 'Z_BUF_ERROR' ? 'a truncated file' : 'damaged data'} (${(error as Error).message})`,
      where: name,
      hint: 'Check the file with `gzip -t`, and copy or make it again.',
    },
    { cause: error },
  );
}

/** The bytes of a file, unpacked where they are gzip's. */
async function* readBytes(file: string, { onBytes }: ReadOptions): AsyncGenerator<Buffer, void, void> {
  if (file === STDIN) refuseStrangeInput();
  const stream = file === STDIN ? process.stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  const raw = observed(stream, onBytes);
  try {
    // A pipe may give a single byte at first; gzip's mark has two.
    let head = Buffer.alloc(0);
    while (head.length < 2) {
      const { done, value } = await raw.next();
      if (done) break;
      head = Buffer.concat([head, value]);
    }
    const bytes = resumed(head, raw);
    if (head.length < 2 || head.readUInt16BE(0) !== 0x1f8b) {
      yield* bytes;
      return;
    }
    const { createGunzip } = await import('node:zlib'); // most files are plain, and it takes time to load
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
    // An error on the way destroys the last stream, which throws it where it is read.
    pipeline(bytes, gunzip, () => {});
    yield* gunzip as AsyncIterable<Buffer>;
  } finally {
    stream.destroy();
  }
}

/**
 * Node takes a standard input that is closed, or a folder, for an empty file. A folder is refused as a read of it by name
 * would be.
 */
function refuseStrangeInput(): void {
  if (wasClosed(0)) {
    throw new UserError({
      problem: 'it is closed: there is nothing to read',
      where: 'standard input',
      hint: 'Give a file or a pipe; a container may need to be started with its input open (docker run -i). `< /dev/null` is an empty text.',
    });
  }
  if (!fstatSync(process.stdin.fd).isDirectory()) return;
  throw systemError('EISDIR');
}

async function* observed(
  stream: AsyncIterable<Buffer>,
  onBytes: ReadOptions['onBytes'],
): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of stream) {
    onBytes?.(chunk);
    yield chunk;
  }
}

async function* resumed(
  head: Buffer,
  rest: AsyncGenerator<Buffer, void, void>,
): AsyncGenerator<Buffer, void, void> {
  yield head;
  yield* rest;
}

/** Lines as they were read. */
export interface LineBlock extends LineBytes {
  readonly bytes: Buffer;
}

/** Cuts bytes where lines end; holds the part of a line that is not yet complete. */
class LineCutter {
  private readonly name: string;
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private lineCount = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The lines that end in this chunk. */
  cut(chunk: Buffer): LineBlock | undefined {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end === -1) {
      this.hold(chunk);
      return undefined;
    }
    const block = this.release(chunk.subarray(0, end));
    this.hold(chunk.subarray(end + 1));
    return block;
  }

  /** The last line, where no line break ends it. */
  end(): LineBlock | undefined {
    return this.pendingBytes === 0 ? undefined : this.release(Buffer.alloc(0));
  }

  private hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    if (this.pendingBytes > MAX_LINE_BYTES) {
      throw new UserError({
        problem: `expected lines of at most ${MAX_LINE_BYTES} bytes, found a longer one`,
        where: `${this.name}:${this.lineCount + 1}`,
        hint: 'Check that this is a text file with one sentence a line.',
      });
    }
  }

  private release(rest: Buffer): LineBlock {
    const bytes = this.pending.length === 0 ? rest : Buffer.concat([...this.pending, rest]);
    this.pending = [];
    this.pendingBytes = 0;
    const ends = lineEnds(bytes);
    const line = this.lineCount + 1;
    this.lineCount += ends.length;
    return { name: this.name, line, bytes, ends };
  }
}

/** @param bytes whole lines without the last line break */
function lineEnds(bytes: Buffer): Int32Array {
  const ends = new IdList();
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, end + 1)) ends.push(end);
  ends.push(bytes.length);
  return ends.view();
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
