import { Command } from 'commander';
import { packageVersion } from '../common/files.js';
import { spellOutScoreFlags } from './score-command.js';
import { explainSwallowed } from './swallowed.js';

/** How each command is added to the program, in the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  preprocess: async () => (await import('./model-commands.js')).addPreprocess,
  profile: async () => (await import('./model-commands.js')).addProfile,
  train: async () => (await import('./model-commands.js')).addTrain,
  sweep: async () => (await import('./sweep-command.js')).addSweep,
  average: async () => (await import('./model-commands.js')).addAverage,
  translate: async () => (await import('./model-commands.js')).addTranslate,
  fold: async () => (await import('./exchange-commands.js')).addFold,
  export: async () => (await import('./exchange-commands.js')).addExport,
  import: async () => (await import('./exchange-commands.js')).addImport,
  check: async () => (await import('./model-commands.js')).addCheck,
  score: async () => (await import('./score-command.js')).addScore,
  runs: async () => (await import('./report-command.js')).addRuns,
  report: async () => (await import('./report-command.js')).addReport,
  analyze: async () => (await import('./analysis-command.js')).addAnalyze,
  config: async () => (await import('./config-command.js')).addConfig,
};

/**
 * Runs a command line. Where it starts with a command, only that one is loaded: the schema of the config, which
 * most of them need, takes longer than a score does.
 *
 * @param args the arguments after the program's name
 * @throws UserError, InterruptedError, CommanderError
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const [name = ''] = args;
  const spelled = name === 'score' ? spellOutScoreFlags(args) : args;
  const program = await createProgram(Object.hasOwn(COMMANDS, name) ? [name] : Object.keys(COMMANDS));
  try {
    await program.parseAsync(spelled, { from: 'user' });
  } catch (error) {
    throw explainSwallowed(error, program);
  }
}

/** The program with some of its commands. */
async function createProgram(commands: readonly string[]): Promise<Command> {
  const program = new Command('admin-nmt')
    .description('Train and evaluate neural machine translation with Admin-initialised Transformers.')
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print help.')
    .helpCommand('help [command]', 'Print help for a command.')
    .exitOverride()
    // Messages are printed where the exit code is set, help that was asked for here.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', '\nadmin-nmt COMMAND --help lists the options of a command.');
  for (const name of commands) {
    const add = await COMMANDS[name]();
    add(program);
  }
  return program;
}
