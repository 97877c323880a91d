import path from 'node:path';
import { UserError } from '../../common/errors.js';
import type { LineSearch, LineTranslator } from '../../decode/line-translator.js';
import { HttpError } from '../http/http-error.js';
import type { AskedSearch } from './asked-search.js';

/** A model that is served, in one of its directions. */
export interface ServedModel {
  /** Of its run directory. */
  readonly name: string;
  readonly source: string;
  readonly target: string;
  /** What is put before a sentence that is to become of the target language; undefined leaves it to the config. */
  readonly tag: string | undefined;
  readonly lines: LineTranslator;
  /** How lines are translated by a request that asks for other settings of decode, or another seed. */
  readonly searchBy: (asked: AskedSearch) => LineSearch;
}

/** A tag that says what a sentence is to become, as `--target-lang` has it. */
const LANGUAGE_TAG = /^<2([A-Za-z][\w-]*)>$/;

/**
 * The languages that a model translates to, each with its tag: its own, and one for each tag `<2LANG>` that its dictionary has.
 *
 * @param tag that it puts before all sentences by itself
 */
export function targetsOf(
  target: string,
  tags: readonly string[],
  tag: string | null,
): { target: string; tag: string | undefined }[] {
  const tagged = new Map<string, string | undefined>([[target, undefined]]);
  for (const found of tags) {
    const language = LANGUAGE_TAG.exec(found)?.[1];
    if (language !== undefined && (language !== target || tag === null)) tagged.set(language, found);
  }
  return Array.from(tagged, ([target, tag]) => ({ target, tag }));
}

/** The models of a server, by their languages. */
export class Models {
  readonly all: readonly ServedModel[];

  /** @throws UserError where two models have the same languages */
  constructor(all: readonly ServedModel[]) {
    checkPairs(all);
    this.all = all;
  }

  /**
   * @param source a language, or `auto` where the target alone says which model it is
   * @throws HttpError with those that there are
   */
  find(source: string, target: string): ServedModel {
    const found = this.all.filter(
      (model) => model.target === target && (source === 'auto' || model.source === source),
    );
    if (found.length === 1) return found[0];
    const pairs = this.all.map((model) => `${model.source} to ${model.target}`).join(', ');
    throw new HttpError(
      400,
      found.length > 1
        ? `expected a source language, found auto, which several models have for ${target}: ${pairs}`
        : `expected languages of a model (${pairs}), found ${source} to ${target}`,
    );
  }

  /** Each once, in the first of its directions. */
  get loaded(): ServedModel[] {
    return this.all.filter(({ lines }, i) => this.all.findIndex((other) => other.lines === lines) === i);
  }

  /** As LibreTranslate lists languages. */
  languages(): { code: string; name: string; targets: string[] }[] {
    const sources = [...new Set(this.all.map(({ source }) => source))];
    return sources.map((code) => ({
      code,
      name: nameOf(code),
      targets: this.all.filter(({ source }) => source === code).map(({ target }) => target),
    }));
  }
}

/** @throws UserError where two models have the same languages */
function checkPairs(models: readonly ServedModel[]): void {
  const first = new Map<string, string>();
  for (const { name, source, target } of models) {
    const pair = `${source} to ${target}`;
    const other = first.get(pair);
    if (other !== undefined)
      throw new UserError({
        problem: `expected runs of different languages, found two from ${pair}: ${other}, ${name}`,
        hint: 'Serve the other one at a port of its own.',
      });
    first.set(pair, name);
  }
}

/** Of a folder. */
export const runName = (run: string): string => path.basename(path.resolve(run));

/** In English, where it has a name. */
function nameOf(code: string): string {
  try {
    return new Intl.DisplayNames('en', { type: 'language' }).of(code.replace('_', '-')) ?? code;
  } catch {
    return code;
  }
}
