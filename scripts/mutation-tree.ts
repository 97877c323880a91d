import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { SourceMap } from 'node:module';
import * as path from 'node:path';
import process from 'node:process';
import { lineAt, type Mutation, type MutationKind, mutationsOf } from './mutation-sites.js';

/** A mutation of a file of the tree. */
export interface Mutant extends Mutation {
  /** What is changed, in the tree: compiled JavaScript, or C++. */
  file: string;
  /** Where that comes from, for people: `src/model/omega.ts:31`. */
  place: string;
  /** The line before and after. */
  before: string;
  after: string;
}

/** Numbers that are data, and text for browsers, whose own scripts no test runs. */
const LEFT_OUT = /unicode-scripts\.|-style\.|-script\.|presets\.|(^|\/)version\.|src\/index\./;

/** A copy of the working tree in which mutants live, one at a time. */
export class MutationTree {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Copies all but the packages, which are linked, and the history. A copy that is there is taken as it is. */
  static copy(from: string, to: string): MutationTree {
    const tree = new MutationTree(to);
    if (fs.existsSync(to)) return tree.restore();
    const unfinished = `${to}.unfinished`;
    fs.rmSync(unfinished, { recursive: true, force: true });
    fs.cpSync(from, unfinished, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => !['.git', 'node_modules'].includes(path.relative(from, file)),
    });
    fs.symlinkSync(fs.realpathSync(path.join(from, 'node_modules')), path.join(unfinished, 'node_modules'));
    fs.renameSync(unfinished, to);
    return tree;
  }

  /** All mutants, by room: `native`, and the folders of src. */
  mutants(only: string): Map<string, Mutant[]> {
    const rooms = new Map<string, Mutant[]>();
    for (const file of [...this.list('dist/src', /\.js$/), ...this.list('native/src', /\.(cc|h)$/)]) {
      if (LEFT_OUT.test(file) || !isWithin(file, only)) continue;
      const room = file.startsWith('native/') ? 'native' : file.split('/')[2];
      rooms.set(room, [...(rooms.get(room) ?? []), ...this.mutantsOf(file)]);
    }
    return rooms;
  }

  /**
   * Runs something with a mutant in place, in the environment it needs; undefined where it cannot be compiled.
   */
  async having<T>(
    mutant: Mutant,
    action: (environment: NodeJS.ProcessEnv) => Promise<T>,
  ): Promise<T | undefined> {
    const file = path.join(this.root, mutant.file);
    const whole = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(this.aside, JSON.stringify({ file: mutant.file, whole }));
    fs.writeFileSync(file, whole.slice(0, mutant.start) + mutant.replacement + whole.slice(mutant.end));
    try {
      const environment = this.compile(mutant.file);
      return environment && (await action(environment));
    } finally {
      this.restore();
    }
  }

  /** Takes the mutant away; also one of a process that was interrupted. */
  private restore(): this {
    if (fs.existsSync(this.aside)) {
      const { file, whole } = JSON.parse(fs.readFileSync(this.aside, 'utf8'));
      fs.writeFileSync(path.join(this.root, file), whole);
      fs.rmSync(this.aside);
    }
    return this;
  }

  /** Where the file stands that a mutant has changed. */
  private get aside(): string {
    return path.join(this.root, 'mutated.json');
  }

  private compile(file: string): NodeJS.ProcessEnv | undefined {
    if (!file.startsWith('native/')) {
      const { status } = spawnSync(process.execPath, ['--check', path.join(this.root, file)]);
      return status === 0 ? process.env : undefined;
    }
    const build = path.join(this.root, 'native', 'mutant');
    fs.rmSync(build, { recursive: true, force: true });
    const env = { ...process.env, ADMIN_NMT_NATIVE: build };
    const { status } = spawnSync(process.execPath, [path.join('native', 'build.mjs'), '--force'], {
      ...{ cwd: this.root, env, stdio: 'ignore' },
    });
    return status === 0 ? env : undefined;
  }

  private list(folder: string, pattern: RegExp): string[] {
    return fs
      .readdirSync(path.join(this.root, folder), { recursive: true, encoding: 'utf8' })
      .map((file) => `${folder}/${file.split(path.sep).join('/')}`)
      .filter((file) => pattern.test(file))
      .sort();
  }

  private mutantsOf(file: string): Mutant[] {
    const text = fs.readFileSync(path.join(this.root, file), 'utf8');
    const place = this.places(file, text);
    return mutationsOf(text, file.endsWith('.js') ? 'javascript' : 'c++').map((mutation) => {
      const { start, end, replacement } = mutation;
      const changed = text.slice(0, start) + replacement + text.slice(end);
      return {
        ...mutation,
        ...{ file, place: place(start), before: lineAt(text, start), after: lineAt(changed, start) },
      };
    });
  }

  /** From an offset of a file to its place in the source. */
  private places(file: string, text: string): (offset: number) => string {
    const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index! + 1)];
    const line = (offset: number): number => starts.findLastIndex((start) => start <= offset);
    const beside = path.join(this.root, `${file}.map`);
    if (!fs.existsSync(beside)) return (offset) => `${file}:${line(offset) + 1}`;
    const map = new SourceMap(JSON.parse(fs.readFileSync(beside, 'utf8')));
    const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
    return (offset) => {
      const at = line(offset);
      const entry = map.findEntry(at, offset - starts[at]);
      return `${source}:${('originalLine' in entry ? entry.originalLine : at) + 1}`;
    };
  }
}

/** Whether a file of the tree is, or comes from, one whose path begins like that: `src/train`, `src/train/split.ts`. */
export function isWithin(file: string, only: string): boolean {
  return file.replace(/^dist\//, '').startsWith(only.replace(/\.ts$/, '.js'));
}

/** What tells a mutant from others, also when lines have moved. */
export function nameOf(mutant: { file: string; kind: MutationKind; before: string; after: string }): string {
  return `${mutant.file} ${mutant.kind}: ${mutant.before} -> ${mutant.after}`;
}
