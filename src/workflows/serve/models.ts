import path from 'node:path';
import { UserError } from '../../common/errors.js';
import type { LineSearch, LineTranslator } from '../../decode/line-translator.js';
import { HttpError } from '../http/http-error.js';
import type { AskedSearch } from './asked-search.js';

/** A model that is served. */
export interface ServedModel {
  /** Of its run directory. */
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly lines: LineTranslator;
  /** How lines are translated by a request that asks for other settings of decode, or another seed. */
  readonly searchBy: (asked: AskedSearch) => LineSearch;
}

/** The models of a server, by their languages. */
export class Models {
  readonly all: readonly ServedModel[];

  constructor(all: readonly ServedModel[]) {
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

/** @throws UserError where two runs have the same languages */
export function checkPairs(runs: readonly { run: string; source: string; target: string }[]): void {
  const first = new Map<string, string>();
  for (const { run, source, target } of runs) {
    const pair = `${source} to ${target}`;
    const other = first.get(pair);
    if (other !== undefined)
      throw new UserError({
        problem: `expected runs of different languages, found two from ${pair}: ${other}, ${run}`,
        hint: 'Serve the other one at a port of its own.',
      });
    first.set(pair, run);
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
