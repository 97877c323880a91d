import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { Purpose, RandomStream } from '../src/common/rng.js';

/** Requests to a server of translations as they should not be, among some that should. */

export interface Abuse {
  readonly port: number;
  readonly requests: number;
  readonly seed: number;
  /** Clients at a time. */
  readonly clients: number;
  /** Bodies that the server translates: each request that has one takes any of them. */
  readonly good: readonly object[];
  /** Its limits. */
  readonly maxBody: number;
  readonly timeout: number;
}

export interface AbuseOutcome {
  /** How many answers of which status each kind of request got; `none` where it left before. */
  readonly answers: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Answers that the kind should not get, in words. */
  readonly wrong: readonly string[];
}

/** What a request is made of. */
interface Asked extends Pick<Abuse, 'maxBody'> {
  readonly good: object;
}

interface Kind {
  /** Writes the request, and perhaps leaves. */
  send(socket: Socket, asked: Asked): Promise<void> | void;
  /** Statuses that it may get. */
  readonly may: readonly string[];
}

const BUSY = ['429', '503'];

const head = (path: string, length: number | 'chunked', host = 'localhost', method = 'POST'): string =>
  [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Content-Type: application/json',
    length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`,
    'Connection: close\r\n\r\n',
  ].join('\r\n');

const post = (body: string, path = '/translate', host?: string): string =>
  `${head(path, Buffer.byteLength(body), host)}${body}`;

const KINDS: Readonly<Record<string, Kind>> = {
  good: { may: ['200', ...BUSY], send: (socket, { good }) => void socket.write(post(JSON.stringify(good))) },
  'in pieces': {
    may: ['200', ...BUSY],
    send: async (socket, { good }) => {
      const text = post(JSON.stringify(good));
      for (const part of [text.slice(0, 20), text.slice(20, -5), text.slice(-5)]) {
        socket.write(part);
        await after(5);
      }
    },
  },
  malformed: { may: ['400'], send: (socket) => void socket.write(post('{"q": "a", "target": ')) },
  'not text': { may: ['400'], send: (socket) => void socket.write(post('{"q": [1, {}], "target": "en"}')) },
  'another language': {
    may: ['400'],
    send: (socket) => void socket.write(post('{"q": "a", "target": "tlh"}')),
  },
  'too long': {
    may: ['413'],
    send: (socket, { maxBody }) => void socket.write(`${head('/translate', maxBody + 1)}{"q": "`),
  },
  'too long, in chunks': {
    may: ['413'],
    send: (socket, { maxBody }) => {
      const chunk = 'a'.repeat(maxBody + 1);
      socket.write(`${head('/translate', 'chunked')}${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    },
  },
  slow: { may: ['408'], send: (socket) => void socket.write(`${head('/translate', 100)}{"q": `) },
  'a stream with a bad line': {
    may: ['400'],
    send: (socket, { good }) =>
      void socket.write(
        post('{"q": 5}\n"a"\n', `/translate/stream?target=${(good as { target: string }).target}`),
      ),
  },
  'a slow stream': {
    may: ['408'],
    send: (socket, { good }) =>
      void socket.write(head(`/translate/stream?target=${(good as { target: string }).target}`, 100)),
  },
  'no HTTP': { may: ['400'], send: (socket) => void socket.write('\u0016\u0003\u0001 hello\r\n\r\n') },
  'another host': {
    may: ['403'],
    send: (socket) => void socket.write(post('{}', '/translate', 'evil.example')),
  },
  'no such path': { may: ['404'], send: (socket) => void socket.write(post('{}', '/etc/passwd')) },
  'another method': {
    may: ['405'],
    send: (socket) => void socket.write(head('/translate', 0, 'localhost', 'PUT')),
  },
  'gone at once': { may: ['none'], send: (socket) => void socket.destroy() },
  'gone in the body': {
    may: ['none'],
    send: async (socket) => {
      socket.write(`${head('/translate', 100)}{"q": "a`);
      await after(3);
      socket.destroy();
    },
  },
  'gone before the answer': {
    may: ['none', '200'],
    send: async (socket, { good }) => {
      socket.write(post(JSON.stringify(good)));
      await after(2);
      socket.destroy();
    },
  },
};

/** The longest that an answer may take, in milliseconds: what takes longer hangs. */
const LONGEST = 60_000;

/** @returns what came of each kind of request, drawn at random */
export async function abuse(options: Abuse): Promise<AbuseOutcome> {
  const stream = new RandomStream({ seed: options.seed, step: 0, purpose: Purpose.test });
  const names = Object.keys(KINDS);
  const answers = new Map<string, Map<string, number>>(names.map((name) => [name, new Map()]));
  const wrong: string[] = [];
  let left = options.requests;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const name = names[stream.nextBelow(names.length)];
      const good = options.good[stream.nextBelow(options.good.length)];
      const status = await ask(KINDS[name], { ...options, good });
      const counts = answers.get(name)!;
      counts.set(status, (counts.get(status) ?? 0) + 1);
      if (!KINDS[name].may.includes(status)) wrong.push(`${name}: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: options.clients }, client));
  return { answers, wrong };
}

async function ask(kind: Kind, asked: Asked & Pick<Abuse, 'port'>): Promise<string> {
  const socket = connect(asked.port, '127.0.0.1');
  socket.on('error', () => {}); // a connection that breaks has no status
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  const closed = once(socket, 'close');
  try {
    await once(socket, 'connect');
    await kind.send(socket, asked);
    const hung = await Promise.race([closed, after(LONGEST, 'hung', { ref: false })]);
    if (hung === 'hung') return 'hung';
  } catch {
    // no status either
  } finally {
    socket.destroy();
  }
  return /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 'none';
}
