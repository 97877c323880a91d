import * as path from 'node:path';
import { z } from 'zod';
import { type Complaint, nearest, UserError } from '../common/errors.js';
import { fromHome } from './home.js';
import { configKeys } from './keys.js';
import { isTree, type Layer, type Tree } from './layer.js';
import { readYamlText } from './load.js';
import type { Override } from './override.js';
import { joinPath, valueAt } from './paths.js';
import { describeValue, MAX_COMPLAINTS } from './validate.js';
import { parseYamlValue, readYamlSource } from './yaml-source.js';

/** A key of the config and the values that it takes in turn. */
export interface Axis {
  readonly path: string;
  readonly values: readonly Override[];
  readonly where: string;
}

/** Settings that belong together. */
export interface ListedCell {
  /** In place of one made of its settings. */
  readonly name?: string;
  readonly set: readonly Override[];
  readonly where: string;
}

/** What a sweep trains: every listed cell (or one without settings) × every value of every axis × every seed. */
export interface SweepPlan {
  /** Config files, the weakest first. */
  readonly files: readonly string[];
  /** Settings of all cells. */
  readonly set: readonly Override[];
  readonly grid: readonly Axis[];
  readonly cells: readonly ListedCell[];
  readonly seeds: readonly number[];
  /** Whether the test text is translated and scored. */
  readonly test: boolean;
}

const MAX_SEED = 2 ** 32 - 1;
const seedsSchema = z.union([z.int().min(1).max(1000), z.array(z.int().min(0).max(MAX_SEED)).min(1)]);
const settingsSchema = z.record(z.string(), z.unknown());

const planSchema = z.strictObject({
  config: z.union([z.string().min(1), z.array(z.string().min(1))]).default([]),
  set: settingsSchema.default({}),
  grid: settingsSchema.default({}),
  cells: z.array(settingsSchema).min(1).optional(),
  seeds: seedsSchema.default([1]),
  test: z.boolean().default(false),
});

/** What each key of a plan must be, in words. */
const EXPECTED: Readonly<Record<string, string>> = {
  config: 'a config file or a list of them',
  set: 'a map of config keys to their values',
  grid: 'a map of config keys to lists of values',
  cells: 'a list of maps of config keys to their values',
  seeds: 'a number of seeds, or a list of seeds',
  test: 'true or false',
};

const NAMES = Object.keys(EXPECTED);
const HINT = 'See docs/sweep.md, or start from one of the files in configs/sweeps/.';

/**
 * Reads a plan. Keys and values of the config in it are not checked here.
 *
 * @throws UserError with every complaint about the file, each with its place
 */
export function readSweepPlan(file: string): SweepPlan {
  const { layer, complaints } = readYamlSource(readYamlText(file), file, { names: NAMES, hint: HINT });
  const { data, error } = planSchema.safeParse(layer.tree);
  const found = [...complaints, ...(error?.issues ?? []).flatMap((issue) => complain(issue, layer))];
  if (found.length > 0 || data === undefined) throw new UserError(found);
  const whereOf = (place: string): string => layer.origins.get(place)?.value ?? file;
  const folder = path.dirname(file);
  const plan: SweepPlan = {
    files: [data.config]
      .flat()
      .map((name) => path.resolve(folder, fromHome(name)))
      .map(relativeToHere),
    set: settings(data.set, 'set', whereOf),
    grid: settings(data.grid, 'grid', whereOf).map(axisOf),
    cells: (data.cells ?? []).map((cell, i) => listedCell(cell, `cells.${i}`, whereOf)),
    seeds: listSeeds(data.seeds),
    test: data.test,
  };
  return plan;
}

/** Whether a file is a plan and no config: they have no key in common. @throws UserError where it cannot be read */
export function isSweepPlan(file: string): boolean {
  const { layer } = readYamlSource(readYamlText(file), file, { names: NAMES, hint: HINT });
  return Object.keys(layer.tree).some((key) => NAMES.includes(key));
}

/** A plan with other values for some keys of its grid, and further keys behind, which it may have set for all cells. */
export function overrideGrid(plan: SweepPlan, axes: readonly Axis[]): SweepPlan {
  const given = new Map(axes.map((axis) => [axis.path, axis]));
  const kept = plan.grid.map((axis) => given.get(axis.path) ?? axis);
  return {
    ...plan,
    set: plan.set.filter(({ path: key }) => !given.has(key)),
    grid: [...kept, ...axes.filter((axis) => !kept.includes(axis))],
  };
}

/** The axis of `--grid KEY=VALUE,VALUE`. @throws UserError where it has not that form */
export function parseGrid(text: string): Axis {
  const where = `--grid ${text}`;
  const equals = text.indexOf('=');
  const [key, list] = [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
  if (equals > 0 && list !== '') {
    try {
      return axisOf({ path: key, value: JSON.stringify(parseYamlValue(`[${list}]`)), where });
    } catch (error) {
      if (error instanceof UserError) throw error;
    }
  }
  throw new UserError({
    problem: `expected KEY=VALUE,VALUE,…, found '${text}'`,
    where: '--grid',
    hint: 'For example --grid model.residual=post-ln,admin or --grid train.lr=0.001,0.003.',
  });
}

/** The seeds of `--seeds 3` (1, 2, 3) or `--seeds 11,12`. @throws UserError for anything else */
export function parseSeeds(text: string): number[] {
  const numbers = /^\d+(,\d+)*$/.test(text) ? text.split(',').map(Number) : [];
  const { data } = seedsSchema.safeParse(numbers.length === 1 ? numbers[0] : numbers);
  if (data !== undefined) return listSeeds(data);
  throw new UserError({
    problem: `expected a number of seeds, or seeds with commas between them; found '${text}'`,
    where: '--seeds',
  });
}

function listSeeds(seeds: z.output<typeof seedsSchema>): number[] {
  return typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i + 1) : seeds;
}

type WhereOf = (place: string) => string;

/** Dotted keys and nested maps of them as settings in their order. @param place of the map in the plan */
function settings(tree: Tree, place: string, whereOf: WhereOf, parent = ''): Override[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    const key = joinPath(parent, name);
    const own = joinPath(place, name);
    if (isTree(value) && !configKeys.has(key)) return settings(value, own, whereOf, key);
    return [{ path: key, value: JSON.stringify(value), where: whereOf(own) }];
  });
}

function listedCell({ name, ...tree }: Tree, place: string, whereOf: WhereOf): ListedCell {
  const set = settings(tree, place, whereOf);
  const where = set[0]?.where ?? whereOf(place);
  if (name === undefined) return { set, where };
  if (typeof name === 'string' && /^[\w.+-]+$/.test(name)) return { name, set, where };
  throw new UserError({
    problem: `expected a name of letters, digits and '._+-'; found ${describeValue(name)}`,
    where: whereOf(`${place}.name`),
    hint: 'It becomes the name of a folder.',
  });
}

/** @param setting whose value is a list */
function axisOf({ path: key, value, where }: Override): Axis {
  const values: unknown = JSON.parse(value);
  if (Array.isArray(values) && values.length > 0) {
    return {
      path: key,
      where,
      values: values.map((one) => ({ path: key, value: JSON.stringify(one), where })),
    };
  }
  throw new UserError({
    problem: `${key}: expected a list of values, found ${describeValue(values)}`,
    where,
    hint: 'A value of all cells stands under set.',
  });
}

function complain(issue: z.core.$ZodIssue, { tree, origins }: Layer): Complaint[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MAX_COMPLAINTS).map((key) => ({
      problem: `unknown key '${key.slice(0, 60)}' in a plan`,
      where: origins.get(key)?.key,
      hint: suggest(key),
    }));
  }
  const [name] = issue.path.map(String);
  const place = issue.path.map(String).join('.');
  const problem = `${name}: expected ${EXPECTED[name]}; found ${describeValue(valueAt(tree, place))}`;
  return [{ problem, where: (origins.get(place) ?? origins.get(name))?.value }];
}

function suggest(key: string): string {
  const meant = nearest(key, NAMES);
  if (meant !== undefined) return `Did you mean '${meant}'?`;
  return `The keys here are ${NAMES.join(', ')}; keys of a config stand under set, or give the config with --grid or --seeds.`;
}

/** A path as short as it can be, for messages and commands. */
function relativeToHere(file: string): string {
  const relative = path.relative('', file);
  return relative.startsWith('..') ? file : relative;
}
