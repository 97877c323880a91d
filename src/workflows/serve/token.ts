import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { UserError, userErrorOf } from '../../common/errors.js';
import { log } from '../../common/log.js';

/** Whether a token is the right one. */
export type TokenCheck = (token: string | undefined) => boolean;

/** @param file with the token, a line; null where none is asked for. @throws UserError where it cannot be read or holds none */
export function readToken(file: string | null): TokenCheck | undefined {
  if (file === null) return undefined;
  const token = textOf(file).trim();
  if (!/^\S{8,}$/.test(token))
    throw new UserError({
      problem: `expected a token of at least 8 characters without white space, found ${token === '' ? 'nothing' : 'another text'}`,
      where: file,
      hint: 'Make one: openssl rand -hex 24 > FILE; chmod 600 FILE',
    });
  if ((statSync(file).mode & 0o044) !== 0) log.warn(`${file}: others can read the token: chmod 600 ${file}`);
  const expected = digest(token);
  return (given) => given !== undefined && timingSafeEqual(digest(given), expected);
}

/** The token of an `Authorization` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw userErrorOf(error, file);
  }
}
