import { Command, type CommanderError } from 'commander';
import { UserError } from '../common/errors.js';
import { packageVersion } from '../common/files.js';
import { EXAMPLES, examplesHelp } from './examples.js';
import { spellOutScoreFlags } from './score-command.js';

/** How each command is added to the program, in the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  demo: async () => {
    const { addDemo } = await import('./demo-command.js');
    return (program) => addDemo(program, runCommandLine);
  },
  align: async () => (await import('./align-command.js')).addAlign,
  preprocess: async () => (await import('./model-commands.js')).addPreprocess,
  profile: async () => (await import('./model-commands.js')).addProfile,
  train: async () => (await import('./model-commands.js')).addTrain,
  sweep: async () => (await import('./sweep-command.js')).addSweep,
  average: async () => (await import('./model-commands.js')).addAverage,
  shortlist: async () => (await import('./shortlist-command.js')).addShortlist,
  translate: async () => (await import('./translate-command.js')).addTranslate,
  evaluate: async () => (await import('./evaluate-command.js')).addEvaluate,
  rerank: async () => (await import('./rerank-command.js')).addRerank,
  serve: async () => (await import('./serve-command.js')).addServe,
  fold: async () => (await import('./exchange-commands.js')).addFold,
  export: async () => (await import('./exchange-commands.js')).addExport,
  import: async () => (await import('./exchange-commands.js')).addImport,
  check: async () => (await import('./check-command.js')).addCheck,
  score: async () => (await import('./score-command.js')).addScore,
  runs: async () => (await import('./report-command.js')).addRuns,
  report: async () => (await import('./report-command.js')).addReport,
  analyze: async () => (await import('./analysis-command.js')).addAnalyze,
  config: async () => (await import('./config-command.js')).addConfig,
  completion: async () => {
    const { addCompletion } = await import('./completion-command.js');
    return (program) => addCompletion(program, createProgram);
  },
};

/** Whether there is a command of this name. */
export const isCommand = (name: string): boolean => Object.hasOwn(COMMANDS, name);

/**
 * Runs a command line. Where it starts with a command, only that one is loaded: the schema of the config, which
 * most of them need, takes longer than a score does.
 *
 * @param args the arguments after the program's name
 * @throws UserError, InterruptedError
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const words = withoutHelpCommand(args);
  const [name = ''] = words;
  const spelled = name === 'score' ? spellOutScoreFlags(words) : words;
  const program = await createProgram(isCommand(name) ? [name] : undefined);
  await checkNames(program, spelled);
  try {
    await program.parseAsync(spelled, { from: 'user' });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error.found.exitCode === 0) return; // help or the version was asked for, and is printed
    const { explainUsage } = await import('./usage.js');
    throw explainUsage(error.command, error.found);
  }
}

/** What the parser of a command stops at. */
class UsageError extends Error {
  readonly command: Command;
  readonly found: CommanderError;

  constructor(command: Command, found: CommanderError) {
    super(found.message);
    this.command = command;
    this.found = found;
  }
}

/** `help train` is `train --help`; only config has commands of its own. */
function withoutHelpCommand(args: readonly string[]): readonly string[] {
  const at = args[0] === 'config' ? 1 : 0;
  if (args[at] !== 'help') return args;
  return [...args.slice(0, at), ...args.slice(at).filter((word) => word !== 'help'), '--help'];
}

/** Checks the names of commands, which commander does not where help is asked for. @throws UserError for an unknown one */
async function checkNames(program: Command, args: readonly string[]): Promise<void> {
  let group = program;
  for (const word of args) {
    if (group.commands.length === 0 || word.startsWith('-')) return;
    const command = group.commands.find((candidate) => candidate.name() === word);
    if (command === undefined) {
      const { unknownCommand } = await import('./usage.js');
      throw unknownCommand(group, word);
    }
    group = command;
  }
}

/** The program with some of its commands, by default all. */
export async function createProgram(commands: readonly string[] = Object.keys(COMMANDS)): Promise<Command> {
  const program = new Command('admin-nmt')
    .description('Train and evaluate neural machine translation with Admin-initialised Transformers.')
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print help.')
    .helpCommand('help [command]', 'Print help for a command.')
    .option(
      '--distributed <way>',
      'With any command that MPI starts several times: mpi (default), or none to have each work alone.',
    )
    // Messages are printed where the exit code is set, help that was asked for here.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', '\nadmin-nmt COMMAND --help lists the options of a command.');
  for (const name of commands) {
    const add = await COMMANDS[name]();
    add(program);
  }
  for (const command of program.commands) addExamples(command);
  explainErrorsOf(program);
  program.hook('preAction', (_, command) => refuseEmptyPaths(command));
  return program;
}

/** Puts examples at the end of a command's help, and of those below it. */
function addExamples(command: Command, name = command.name()): void {
  if (Object.hasOwn(EXAMPLES, name)) command.addHelpText('after', examplesHelp(name));
  for (const below of command.commands) addExamples(below, `${name} ${below.name()}`);
}

/** Refuses the empty names that a shell makes of a variable that is not set. @throws UserError */
function refuseEmptyPaths(command: Command): void {
  const empty = command.args.includes('')
    ? 'an argument'
    : command.options.find(
        (option) =>
          /<(file|folder)/.test(option.flags) &&
          [command.getOptionValue(option.attributeName())].flat().includes(''),
      )?.flags;
  if (empty === undefined) return;
  throw new UserError({
    problem: `expected a path, found an empty text for ${empty}`,
    hint: 'A variable of the shell may be empty here.',
  });
}

/** Lets a command and those below it say which of them a mistake belongs to. */
function explainErrorsOf(command: Command): void {
  command.exitOverride((error) => {
    throw new UsageError(command, error);
  });
  for (const below of command.commands) explainErrorsOf(below);
}
