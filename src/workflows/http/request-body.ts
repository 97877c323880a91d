import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.js';

export interface BodyLimits {
  /** Of the body, or of a line. */
  maxBytes: number;
  /** Until it is there, or the next part of it, in milliseconds. */
  timeout: number;
}

/** The body of a request as text. @throws HttpError where it is too long, too slow, or no UTF-8 */
export async function readBody(request: IncomingMessage, { maxBytes, timeout }: BodyLimits): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLong(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const end = Date.now() + timeout;
  for await (const chunk of chunksOf(request, () => end - Date.now())) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong(maxBytes);
    chunks.push(chunk);
  }
  return textOf(Buffer.concat(chunks));
}

/** The lines of a body as they come, blank ones left out. @throws HttpError as readBody, of a line */
export async function* readBodyLines(
  request: IncomingMessage,
  { maxBytes, timeout }: BodyLimits,
): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunksOf(request, () => timeout)) {
    const bytes = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      if (end - start > maxBytes) throw tooLong(maxBytes);
      const line = textOf(bytes.subarray(start, end)).trim();
      if (line !== '') yield line;
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > maxBytes) throw tooLong(maxBytes);
  }
  const last = textOf(rest).trim();
  if (last !== '') yield last;
}

/** @param left milliseconds that the next chunk may take */
async function* chunksOf(request: IncomingMessage, left: () => number): AsyncGenerator<Buffer> {
  const chunks = request.iterator({ destroyOnReturn: false }); // the answer goes over the same connection
  for (;;) {
    const { done, value } = await inTime(chunks.next(), left());
    if (done === true) return;
    yield value;
  }
}

/** @throws HttpError where it takes longer */
async function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const slow = () => new HttpError(408, 'the request did not come in time', { Connection: 'close' });
    timer = setTimeout(() => reject(slow()), Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLong(maxBytes: number): HttpError {
  // What still comes is not read: the connection cannot serve another request.
  return new HttpError(413, `expected at most ${maxBytes} bytes, found more`, { Connection: 'close' });
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError(400, 'expected UTF-8, found other bytes');
  }
}
