import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { type Coverage, covers, readCoverage } from './mutation-coverage.js';

/** A test file without a mutation. */
interface Baseline {
  milliseconds: number;
  /** Tests that fail all the same: they count for nothing. */
  failures: string[];
  /** It broke off before any test could fail, or did not end. */
  broken: boolean;
  coverage: Coverage;
}

/** What a test file said. */
interface Outcome {
  milliseconds: number;
  failures: string[];
  status: 'passed' | 'failed' | 'hung';
}

/** What found a mutation. */
export interface Catch {
  file: string;
  /** The test that failed first; it may have hung, or broken off as a whole. */
  test: string;
}

/** What is changed: an offset of a file of the tree. */
interface Place {
  file: string;
  start: number;
}

/** A hang, or a machine with much else to do. */
const LONGEST_BASELINE = 600_000;

/** The test files of a tree, what they take and what they run: found out when first asked for, and kept in a folder. */
export class MutationTests {
  readonly files: string[];
  private readonly clean: string;
  private readonly memory: string;
  private readonly baselines = new Map<string, Promise<Baseline>>();
  private readonly times = new Map<string, number>();

  /** A tree without a mutant, and a folder. */
  constructor(clean: string, memory: string) {
    this.clean = clean;
    this.memory = memory;
    fs.mkdirSync(memory, { recursive: true });
    const folder = path.join(clean, 'dist', 'test');
    this.files = fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((file) => file.split(path.sep).join('/'))
      .filter((file) => file.endsWith('.test.js'))
      .sort();
  }

  /** The test file of the same path, then those of its room. */
  ofRoom(source: string): string[] {
    const [, place] = source.match(/^(?:dist\/src|native\/src)\/(.*)\.\w+$/)!;
    const native = source.startsWith('native/');
    const rooms = native ? ['backend/', 'ops/'] : [place.replace(/\/.*|^[^/]*$/, '/')];
    const own = this.files.filter((file) => file === `${place}.test.js`);
    const others = this.files.filter(
      (file) => rooms.some((room) => file.startsWith(room)) && !own.includes(file),
    );
    return [...own, ...this.quickestFirst(others)];
  }

  /** The files whose time is known first, the quickest at their head; then the others. */
  quickestFirst(files: readonly string[]): string[] {
    const time = (name: string): number => this.times.get(name) ?? Number.MAX_VALUE;
    return files.toSorted((a, b) => time(a) - time(b));
  }

  /** The first of the files that run the place of a mutant and fail where they did not before. */
  async firstToFail(
    files: readonly string[],
    { tree, mutant, environment: env }: { tree: string; mutant: Place; environment: NodeJS.ProcessEnv },
  ): Promise<Catch | undefined> {
    for (const file of files) {
      const before = await this.baseline(file);
      if (before.broken || !runs(before.coverage, mutant)) continue;
      const known = before.failures;
      const limit = 60_000 + 4 * before.milliseconds;
      const { status, failures } = await execute(tree, file, { env, limit, known });
      if (status === 'hung') return { file, test: '(hung)' };
      const fresh = failures.find((name) => !known.includes(name));
      if (fresh !== undefined) return { file, test: fresh };
      if (status === 'failed' && failures.length === 0) return { file, test: '(broke off)' };
    }
    return undefined;
  }

  private async baseline(file: string): Promise<Baseline> {
    const found = this.baselines.get(file) ?? this.measure(file);
    this.baselines.set(file, found);
    const { milliseconds } = await found;
    this.times.set(file, milliseconds);
    return found;
  }

  private async measure(file: string): Promise<Baseline> {
    const kept = path.join(this.memory, `${file.replaceAll('/', '+')}.json`);
    if (fs.existsSync(kept)) return JSON.parse(fs.readFileSync(kept, 'utf8'));
    const folder = fs.mkdtempSync(path.join(this.memory, 'coverage-'));
    try {
      const env = { ...process.env, NODE_V8_COVERAGE: folder };
      const { milliseconds, failures, status } = await execute(this.clean, file, {
        ...{ env, limit: LONGEST_BASELINE },
      });
      const broken = status === 'hung' || (status === 'failed' && failures.length === 0);
      const found = { milliseconds, failures, broken, coverage: readCoverage(folder, this.clean) };
      fs.writeFileSync(kept, JSON.stringify(found));
      return found;
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** Runs a test file; not to its end where a test fails that is not among those known to. */
function execute(
  tree: string,
  file: string,
  { env, limit, known }: { env: NodeJS.ProcessEnv; limit: number; known?: readonly string[] },
): Promise<Outcome> {
  const started = Date.now();
  const args = ['--test-reporter=tap', path.join(tree, 'dist', 'test', file)];
  // A process group of its own, so that what it has started ends with it.
  const child = spawn(process.execPath, args, {
    ...{ cwd: tree, env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
  });
  const stop = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  process.once('exit', stop);
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    stop();
  }, limit);
  let output = '';
  let failures: string[] = [];
  child.stdout.on('data', (data) => {
    output += data;
    failures = [...output.matchAll(/^ *not ok \d+ - (.*)\n/gm)].map(([, name]) => name);
    if (known !== undefined && failures.some((name) => !known.includes(name))) stop();
  });
  return new Promise((resolve) => {
    child.on('exit', stop);
    child.on('close', (code) => {
      clearTimeout(timer);
      process.off('exit', stop);
      const status = hung ? 'hung' : code === 0 ? 'passed' : 'failed';
      resolve({ milliseconds: Date.now() - started, failures, status });
    });
  });
}

/** The engine has no coverage of its own: all that load it count. */
function runs(coverage: Coverage, { file, start }: Place): boolean {
  if (file.startsWith('native/')) return coverage['dist/src/backend/native/backend.js'] !== undefined;
  return covers(coverage, file, start);
}
