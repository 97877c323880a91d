import { z } from 'zod';
import type { Classified, ClassifiedShape } from './key-facts.js';

/* The kinds of values that the schema of a config is made of. */

/** No number of a config is larger in earnest: what is was mistyped, and would overflow somewhere. */
const MOST = 1_000_000_000;

export const whole = (least: number, most = MOST) => z.int().min(least).max(most);
/** From 0 on. */
export const amount = () => z.number().min(0).max(MOST);
/** Above 0. */
export const positive = () => z.number().positive().max(MOST);

/** A required value with a default; `text` is what `--help` and `config explain` print. */
export const count = (fallback: number, text: string, least = 0, most = MOST) =>
  whole(least, most).default(fallback).describe(text);
export const rate = (fallback: number, text: string) =>
  z.number().min(0).lt(1).default(fallback).describe(text);
export const flag = (fallback: boolean, text: string) => z.boolean().default(fallback).describe(text);
/** Whether a path begins with what only a shell fills in: `~somebody/`, `$HOME/`. */
export const isForShell = (place: string) => /^(~[\w.-]+|\$\w+|\$\{\w+\})(\/|$)/.test(place);
const path = (least: number) =>
  z
    .string()
    .min(least)
    .refine((place) => !isForShell(place))
    .meta({ format: 'path' });
/** The path of a file or folder that need not be given; a leading `~` is the home directory. */
export const file = (text: string) => path(1).nullable().default(null).describe(text);
/** As file; it may be something else in its place. */
export const fileOr = <T extends z.ZodType>(other: T, text: string) =>
  z
    .union([path(1), other])
    .nullable()
    .default(null)
    .describe(text);
export const folder = (fallback: string, text: string, least = 1) =>
  path(least).default(fallback).describe(text);
/** The paths of any number of files or folders. */
export const paths = (text: string) => z.array(path(1)).default([]).describe(text);
export const choice = <const T extends readonly [string, ...string[]]>(
  values: T,
  fallback: T[number],
  text: string,
) =>
  z
    .enum(values)
    .default(fallback as never)
    .describe(text);
export const texts = (text: string) => z.array(z.string().min(1)).default([]).describe(text);
/** A section is a strict object whose defaults are those of its keys; each of them has its facts. */
export const section = <T extends z.ZodRawShape>(shape: T & ClassifiedShape<keyof T>, text: string) => {
  const schema = z
    .strictObject<T>(shape)
    .prefault({} as never)
    .describe(text);
  return schema as Classified<typeof schema>;
};
