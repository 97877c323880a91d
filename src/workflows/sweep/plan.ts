import * as path from 'node:path';
import { canonicalHash } from '../../common/canonical-hash.js';
import { type Complaint, formatComplaint, UserError, userErrorOf } from '../../common/errors.js';
import { sha256 } from '../../common/files.js';
import { type LoadedConfig, loadConfig } from '../../config/load.js';
import type { Setting } from '../../config/override.js';
import { type Override, parseSet } from '../../config/override.js';
import { valueAt } from '../../config/paths.js';
import type { Config } from '../../config/schema.js';
import type { SweepPlan } from '../../config/sweep-plan.js';
import { checkStops } from '../../train/stopping.js';
import { datasetHash } from '../preprocess/preprocess.js';

/** A training of a sweep, with its config checked. */
export interface Cell {
  /** Also of its folder: `residual=admin,lr=0.003,seed=1`. */
  readonly name: string;
  /** The same without the seed: cells that differ in nothing else have it in common. */
  readonly group: string;
  readonly seed: number;
  /** What the cells differ in: the value of each varied key, in the order of the plan. */
  readonly settings: ReadonlyMap<string, unknown>;
  readonly files: readonly string[];
  /** Over the files, in their order. */
  readonly sets: readonly Override[];
  readonly config: Config;
  /** Names everything in the config that may change the result. */
  readonly hash: string;
}

const MOST_CELLS = 10_000;
/** Folders have names of at most 255 bytes; the rest is left to what is written beside them. */
const LONGEST_NAME = 160;
/** Keys that a plan cannot set, each with what to do. */
const RESERVED: Readonly<Record<string, string>> = {
  seed: 'List the seeds under seeds, or with --seeds.',
  'train.save-dir': 'Each cell has a folder of its own in that of the sweep (--output).',
};

/**
 * Every cell of a plan, seeds fastest, then the last axis. All configs are loaded and checked.
 *
 * @param extra settings of the command line, over those of the plan
 * @param folder of the sweep
 * @returns the cells, and what their configs warn of
 * @throws UserError with every complaint about the plan and the configs of its cells, each once
 */
export function expandPlan(
  plan: SweepPlan,
  extra: readonly Setting[],
  folder: string,
): { cells: Cell[]; warnings: string[] } {
  const typed = extra.map((set) => (typeof set === 'string' ? parseSet(set) : set));
  const common = [...plan.set, ...typed];
  refuse(complaintsAbout(plan, typed));
  const labels = shortLabels(variedKeys(plan));
  const complaints = new Map<string, Complaint>();
  const warnings = new Set<string>();
  const cells: Cell[] = [];
  for (const { name, set } of combinations(plan)) {
    for (const seed of plan.seeds) {
      try {
        const { cell, loaded } = loadCell({ plan, common, name, set, seed, labels, folder });
        cells.push(cell);
        for (const warning of loaded.warnings) warnings.add(warning);
      } catch (error) {
        for (const complaint of userErrorOf(error).complaints)
          complaints.set(formatComplaint(complaint), complaint);
      }
    }
  }
  refuse([...complaints.values()]);
  refuse([...sameNames(cells), ...unlikeDatasets(cells)]);
  return { cells, warnings: [...warnings] };
}

function refuse(complaints: readonly Complaint[]): void {
  if (complaints.length > 0) throw new UserError(complaints);
}

/** A value as it is shown: text without quotes. */
export function showValue(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** What a plan cannot do, whatever the configs say. */
function complaintsAbout(plan: SweepPlan, extra: readonly Override[]): Complaint[] {
  const varied = [...plan.grid, ...plan.cells.flatMap(({ set }) => set)];
  const isIn = (list: readonly { path: string }[]) => (one: Override) =>
    list.some(({ path: key }) => key === one.path);
  const listed = plan.cells.flatMap(({ set }) => set);
  // A listed cell may change what the plan sets for all of them.
  const twice = [...extra.filter(isIn(varied)), ...[...plan.set, ...listed].filter(isIn(plan.grid))];
  const size =
    plan.grid.reduce((count, { values }) => count * values.length, plan.seeds.length) *
    Math.max(1, plan.cells.length);
  return [
    ...[...plan.set, ...extra, ...varied].flatMap(({ path: key, where }) =>
      Object.hasOwn(RESERVED, key)
        ? [{ problem: `a sweep sets ${key} itself`, where, hint: RESERVED[key] }]
        : [],
    ),
    ...twice.map(({ path: key, where }) => ({
      problem: `${key} is set here, and varied by the grid or the cells`,
      where,
      hint: 'Keep one of the two; --grid takes the place of the values in a plan.',
    })),
    ...(size > MOST_CELLS
      ? [{ problem: `expected at most ${MOST_CELLS} cells, found ${size}`, hint: 'Split the plan.' }]
      : []),
  ];
}

function variedKeys(plan: SweepPlan): string[] {
  const paths = [...plan.cells.flatMap(({ set }) => set), ...plan.grid].map(({ path: key }) => key);
  return [...new Set(paths)];
}

/** The shortest end of each key that no other ends in as well: `lr`, `encoder.layers`. */
export function shortLabels(keys: readonly string[]): Map<string, string> {
  return new Map(
    keys.map((key) => {
      const parts = key.split('.');
      const ends = parts.map((_, i) => parts.slice(parts.length - 1 - i).join('.'));
      const taken = (end: string): boolean =>
        keys.some((other) => other !== key && `.${other}`.endsWith(`.${end}`));
      return [key, ends.find((end) => !taken(end)) ?? key];
    }),
  );
}

/** The settings of every listed cell with every point of the grid. */
function combinations({ cells, grid }: SweepPlan): { name?: string; set: readonly Override[] }[] {
  const listed = cells.length > 0 ? cells : [{ set: [] }];
  return grid.reduce<{ name?: string; set: readonly Override[] }[]>(
    (found, { values }) =>
      found.flatMap(({ name, set }) => values.map((value) => ({ name, set: [...set, value] }))),
    [...listed],
  );
}

interface CellSource {
  plan: SweepPlan;
  common: readonly Override[];
  name: string | undefined;
  set: readonly Override[];
  seed: number;
  labels: ReadonlyMap<string, string>;
  folder: string;
}

function loadCell({ plan, common, name, set, seed, labels, folder }: CellSource): {
  cell: Cell;
  loaded: LoadedConfig;
} {
  const { files } = plan;
  const seeded = [...common, ...set, override('seed', seed)];
  const loaded = loadConfig({ files, sets: seeded });
  const { config, written } = loaded;
  checkStops(config.train);
  if (plan.test) checkTestText(config);
  const settings = new Map([...labels.keys()].map((key) => [key, valueAt(written, key)]));
  const named = set.filter(
    ({ path: key }) => name === undefined || plan.grid.some((axis) => axis.path === key),
  );
  const parts = named.map(
    ({ path: key }) => `${labels.get(key)}=${folderSafe(showValue(settings.get(key)))}`,
  );
  const group = shorten([...(name === undefined ? [] : [name]), ...parts].join(',') || 'all');
  const cellName = `${group},seed=${seed}`;
  const saveDir = path.join(folder, cellName);
  const sets = [...seeded, override('train.save-dir', saveDir)];
  const { threads, backend, gpu, ...decisive } = written;
  const hash = canonicalHash(decisive);
  return {
    cell: {
      ...{ name: cellName, group, seed, settings, files, sets, hash },
      config: { ...config, train: { ...config.train, saveDir } },
    },
    loaded,
  };
}

function override(key: string, value: unknown): Override {
  return { path: key, value: JSON.stringify(value), where: `${key} of a cell` };
}

function checkTestText({ data }: Config): void {
  if (data.test !== null) return;
  throw new UserError({
    problem: 'expected test text to translate, found null',
    where: 'data.test',
    hint: 'Set it in the config, or leave out test (--test).',
  });
}

function folderSafe(text: string): string {
  return text.replace(/^[^\w.+-]+|[^\w.+-]+$/g, '').replaceAll(/[^\w.+-]+/g, '-');
}

function shorten(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME)}-${sha256(name).slice(0, 8)}`;
}

function sameNames(cells: readonly Cell[]): Complaint[] {
  const names = cells.map(({ name }) => name);
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return [...twice].map((name) => ({
    problem: `two cells have the name '${name}'`,
    hint: 'Remove the setting that is there twice, or give listed cells a name of their own.',
  }));
}

/** Cells that would make each other's dataset anew. */
function unlikeDatasets(cells: readonly Cell[]): Complaint[] {
  const first = new Map<string, Cell>();
  for (const cell of cells) {
    const { data } = cell.config;
    const folder = path.resolve(data.destdir);
    const before = first.get(folder);
    if (before === undefined) first.set(folder, cell);
    else if (datasetOf(before.config) !== datasetOf(cell.config)) {
      const problem = `the cells '${before.name}' and '${cell.name}' make different datasets in one folder`;
      return [{ problem, where: data.destdir, hint: 'Set data.destdir for each of them.' }];
    }
  }
  return [];
}

function datasetOf({ data }: Config): string {
  const { root, train, valid, test, prepared, tokenizer } = data;
  return canonicalHash([datasetHash(data), root, train, valid, test, prepared, tokenizer.model]);
}
