import { existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../src/common/errors.js';
import { packageRoot, readJson, writeFileAtomic } from '../src/common/files.js';
import { makeToyPairs } from '../src/data/toy-language.js';
import type { PageCommand } from './paper-page.js';

/** Runs a command line in a folder, what it says into a file. @returns its exit code; null where the user has stopped it */
export type Execute = (line: string, folder: string, log: string) => number | null | Promise<number | null>;

/** How a command of the page ended. */
export interface CommandEnd {
  readonly status: number | null;
  readonly seconds: number;
}

/** Why a command of the page is not run. */
export function whySkipped({ line }: PageCommand): string | undefined {
  if (line.startsWith('node ')) return 'it downloads; run it yourself in the work folder';
  if (line.includes('configs/recipes/')) return 'full size: it wants the downloaded text and a GPU';
  return undefined;
}

/** A model that is made in no time, of a text of a few words. */
const TINY = set({
  'model.embed-dim': 8,
  'model.ffn-embed-dim': 8,
  'model.attention-heads': 1,
  'data.tokenizer.vocab-size': 200,
});
const SHALLOW = set({ 'model.encoder.layers': 1, 'model.decoder.layers': 1 });

function set(settings: Record<string, number>): string {
  return Object.entries(settings)
    .map(([key, value]) => ` --set ${key}=${value}`)
    .join('');
}

/**
 * A command with flags after it that make it short. Sweeps are checked without training; so the model that is folded is another one.
 */
export function shorten(line: string): string {
  const [program, command, what] = line.split(' ');
  if (program !== 'admin-nmt') return line;
  if (command === 'sweep') return `${line} --dry-run`;
  if (command === 'fold') return line.replace(/"[^"]+"/, 'analysis/run');
  // Two epochs of 600 updates, so that there are the checkpoints that the page names.
  if (command === 'train') return `${line}${TINY}${SHALLOW}${set({ 'train.max-tokens': 30 })}`;
  if (what === 'output-change') return `${line}${TINY} --seeds 2 --depths 2 4`;
  if (what === 'gradients' || what === 'updates') return `${line}${TINY} --steps 2`;
  return line.includes(' configs/') ? line + TINY : line;
}

/** What is left of the commands in a work folder. */
export class WorkFolder {
  readonly folder: string;
  private readonly ends: Record<string, CommandEnd>;

  /** @throws UserError where the folder is one of another text, or of the other form */
  constructor(folder: string, dataRoot: string | undefined) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    const data = dataRoot === undefined ? path.join(folder, 'toy') : path.resolve(dataRoot);
    if (dataRoot === undefined) writeToyText(data);
    link(data, path.join(folder, 'FOLDER'));
    link(path.join(packageRoot(), 'configs'), path.join(folder, 'configs'));
    this.ends = existsSync(this.file)
      ? (readJson(this.file, 'how the commands ended') as Record<string, CommandEnd>)
      : {};
  }

  private get file(): string {
    return path.join(this.folder, 'commands.json');
  }

  /** Whether a command has come to its end, now or earlier. */
  hasEnded({ line }: PageCommand): boolean {
    return this.ends[line]?.status === 0;
  }

  /** Runs a command, and keeps how it ended. */
  async run({ line, output }: PageCommand, executed: string, execute: Execute): Promise<CommandEnd> {
    const start = Date.now();
    const status = await execute(executed, this.folder, path.join(this.folder, `${output}.log`));
    this.ends[line] = { status, seconds: Math.round((Date.now() - start) / 1000) };
    writeFileAtomic(this.file, `${JSON.stringify(this.ends, null, 1)}\n`);
    return this.ends[line];
  }
}

export interface RunOptions {
  /** Whether commands are shortened. */
  readonly short: boolean;
  readonly execute: Execute;
  /** Is told what is done and what came of it. */
  readonly say: (line: string) => void;
}

/** Runs commands of the page in their order, those that have not ended yet. @returns how many failed; null where the user stopped */
export async function runCommands(
  commands: readonly PageCommand[],
  work: WorkFolder,
  { short, execute, say }: RunOptions,
): Promise<number | null> {
  let failed = 0;
  for (const command of commands) {
    const line = short ? shorten(command.line) : command.line;
    say(`$ ${line}`);
    const reason = whySkipped(command);
    if (reason !== undefined || work.hasEnded(command)) {
      say(reason === undefined ? '  ended earlier' : `  skipped: ${reason}`);
      continue;
    }
    const { status, seconds } = await work.run(command, line, execute);
    if (status === null) return null;
    say(status === 0 ? `  ${seconds} s` : `  FAILED with ${status}: see ${command.output}.log`);
    failed += status === 0 ? 0 : 1;
  }
  return failed;
}

/** Makes a link; commands can so be run as they are printed. */
function link(target: string, place: string): void {
  if (!lstatSync(place, { throwIfNoEntry: false })) symlinkSync(target, place);
  const found = readlinkSync(place);
  if (found === target) return;
  throw new UserError({
    problem: `expected a link to ${target}, found one to ${found}`,
    where: place,
    hint: 'What the commands have left there is of that; give another folder with --out.',
  });
}

/** A text of the toy language under the names of Multi30k. */
function writeToyText(folder: string): void {
  const pairs = makeToyPairs(460, 1);
  const splits = { val: pairs.slice(0, 20), test_2016_flickr: pairs.slice(20, 40), train: pairs.slice(40) };
  for (const [split, part] of Object.entries(splits)) {
    const lines = (side: 'source' | 'target'): string => part.map((pair) => `${pair[side]}\n`).join('');
    writeFileAtomic(path.join(folder, `${split}.de.gz`), lines('source'));
    writeFileAtomic(path.join(folder, `${split}.en.gz`), lines('target'));
  }
}
