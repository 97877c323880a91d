import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/common/files.js';
import { Purpose, RandomStream } from '../src/common/rng.js';
import { type Catch, MutationTests } from './mutation-tests.js';
import { isWithin, type Mutant, MutationTree, nameOf } from './mutation-tree.js';

/**
 * npm run mutate -- [--seed 1] [--count 150] [--only src/ROOM/FILE.ts] [--folder FOLDER] [--again RESULTS] [--rooms] [--jobs 2]
 *
 * Puts single errors into a copy of the program, one after the other, and asks whether a test sees them: those of the
 * room first, then all others that run the place. Goes on where it was interrupted: what is found stands in the folder.
 */

/** What became of a mutant. */
interface Result extends Mutant {
  /** `slipped` through the tests of its room; the others have not been asked yet. */
  outcome: 'invalid' | 'caught' | 'caught elsewhere' | 'slipped' | 'survived';
  catch?: Catch;
  seconds: number;
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '150' },
    only: { type: 'string', default: '' },
    folder: { type: 'string', default: path.join(tmpdir(), 'admin-nmt-mutation') },
    again: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    rooms: { type: 'boolean', default: false },
  },
});

/** Of 17 mutants, so many are of the engine; one is of each room of src. */
const NATIVE_SHARE = 3;

// The tests that run end with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const place = (name: string): string => path.join(values.folder, name);
const clean = MutationTree.copy(packageRoot(), place('clean'));
const trees = Array.from({ length: Number(values.jobs) }, (_, i) =>
  MutationTree.copy(clean.root, place(`tree-${i + 1}`)),
);
const tests = new MutationTests(clean.root, place('tests'));
const rooms = clean.mutants(values.only);
const file = place(`results-${values.seed}${values.again === undefined ? '' : '-again'}.jsonl`);
const results = readResults(file);

const [chosen, count] =
  values.again === undefined
    ? [draw(Number(values.seed)), Number(values.count)]
    : [again(values.again).values(), Infinity];
const taken: Result[] = [];
await inAllTrees(chosen, async (tree, mutant) => {
  const result = results.get(nameOf(mutant)) ?? keep(await inRoom(tree, mutant));
  if (result.outcome !== 'invalid') taken.push(result);
  return taken.length < count;
});
await inAllTrees(taken.entries(), async (tree, [i, result]) => {
  if (result.outcome === 'slipped' && !values.rooms) taken[i] = keep(await everywhere(tree, result));
  return true;
});
summarize();

/** Does one thing after the other, as many at a time as there are trees, until one says that it is enough. */
async function inAllTrees<T>(
  things: Iterator<T>,
  action: (tree: MutationTree, thing: T) => Promise<boolean>,
): Promise<void> {
  let enough = false;
  const work = async (tree: MutationTree): Promise<void> => {
    while (!enough) {
      const { done, value } = things.next();
      if (done === true) return;
      enough ||= !(await action(tree, value));
    }
  };
  await Promise.all(trees.map(work));
}

/** Room after room, kind after kind, each by chance: without end, as long as there are mutants. */
function* draw(seed: number): Generator<Mutant> {
  const random = new RandomStream({ seed, step: 0, purpose: Purpose.test });
  const below = (n: number): number => Math.floor(random.nextUniform() * n);
  const round = [...rooms.keys()].flatMap((room) =>
    Array<string>(room === 'native' ? NATIVE_SHARE : 1).fill(room),
  );
  const left = new Map([...rooms].map(([room, mutants]) => [room, [...mutants]]));
  while ([...left.values()].some((mutants) => mutants.length > 0)) {
    for (const room of round) {
      const mutants = left.get(room)!;
      if (mutants.length === 0) continue;
      const kinds = [...new Set(mutants.map(({ kind }) => kind))];
      const kind = kinds[below(kinds.length)];
      const ofKind = mutants.filter((mutant) => mutant.kind === kind);
      const mutant = ofKind[below(ofKind.length)];
      mutants.splice(mutants.indexOf(mutant), 1);
      yield mutant;
    }
  }
}

/** Those that survived earlier, as far as their lines are still there. */
function again(earlier: string): Mutant[] {
  const present = new Map([...rooms.values()].flat().map((mutant) => [nameOf(mutant), mutant]));
  return [...readResults(earlier)].flatMap(([name, { outcome, place, file }]) => {
    if (!isWithin(file, values.only)) return [];
    if (outcome !== 'slipped' && outcome !== 'survived') return [];
    const mutant = present.get(name);
    if (mutant === undefined) console.log(`no longer there: ${place}  ${name}`);
    return mutant ?? [];
  });
}

async function inRoom(tree: MutationTree, mutant: Mutant): Promise<Result> {
  const started = Date.now();
  const files = tests.ofRoom(mutant.file);
  const found = await inTree(tree, mutant, files);
  const outcome = found === undefined ? 'invalid' : found.catch === undefined ? 'slipped' : 'caught';
  return { ...mutant, outcome, catch: found?.catch, seconds: (Date.now() - started) / 1000 };
}

/** What the tests say of a mutant; undefined where it cannot be compiled. */
function inTree(
  tree: MutationTree,
  mutant: Mutant,
  files: readonly string[],
): Promise<{ catch?: Catch } | undefined> {
  return tree.having(mutant, async (environment) => ({
    catch: await tests.firstToFail(files, { tree: tree.root, mutant, environment }),
  }));
}

async function everywhere(tree: MutationTree, result: Result): Promise<Result> {
  const started = Date.now();
  const room = tests.ofRoom(result.file);
  const others = tests.files.filter((name) => !room.includes(name));
  const found = await inTree(tree, result, tests.quickestFirst(others));
  const outcome = found?.catch === undefined ? 'survived' : 'caught elsewhere';
  return { ...result, outcome, catch: found?.catch, seconds: result.seconds + (Date.now() - started) / 1000 };
}

function readResults(name: string): Map<string, Result> {
  if (!fs.existsSync(name)) return new Map();
  const lines = fs
    .readFileSync(name, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return new Map(lines.map((line): Result => JSON.parse(line)).map((result) => [nameOf(result), result]));
}

function keep(result: Result): Result {
  fs.appendFileSync(file, `${JSON.stringify(result)}\n`);
  const by = result.catch === undefined ? '' : ` by ${result.catch.file}: ${result.catch.test}`;
  process.stderr.write(
    `${result.place} ${result.kind} ${result.outcome}${by} (${result.seconds.toFixed(0)} s)\n`,
  );
  return result;
}

function summarize(): void {
  const outcomes = ['caught', 'caught elsewhere', 'slipped', 'survived'] as const;
  const row = (name: string, cells: readonly (string | number)[]): void =>
    console.log([name.padEnd(10), ...cells.map((cell) => String(cell).padStart(17))].join(''));
  const counts = (some: readonly Result[]): number[] =>
    outcomes.map((outcome) => some.filter((result) => result.outcome === outcome).length);
  row('room', outcomes);
  for (const room of rooms.keys()) {
    row(
      room,
      counts(
        taken.filter(
          (result) => (result.file.startsWith('native/') ? 'native' : result.file.split('/')[2]) === room,
        ),
      ),
    );
  }
  row('all', counts(taken));
  for (const { outcome, place, kind, before, after } of taken) {
    if (outcome === 'slipped' || outcome === 'survived')
      console.log(`\n${place} (${kind})\n- ${before}\n+ ${after}`);
  }
}
