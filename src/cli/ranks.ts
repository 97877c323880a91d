import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { alone, type Communicator } from '../common/communicator.js';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { agree } from '../distributed/agree.js';
import { type Environment, findLaunch, type Launch } from '../distributed/launcher.js';
import type { MpiCommunicator } from '../distributed/mpi.js';
import { describeProgram } from '../distributed/program.js';
import type { Leave } from './exit.js';

/** Commands that several processes do together. */
const TOGETHER: readonly string[] = ['train', 'translate'];

const OWN_THREADS = 'It uses all threads of one machine, or as many as --threads says.';

/** What others have in place of processes, where they have something. */
const INSTEAD: Readonly<Record<string, string>> = {
  preprocess: OWN_THREADS,
  evaluate: OWN_THREADS,
  analyze: OWN_THREADS,
  profile: 'Where a profile is missing, train makes it on rank 0.',
  sweep:
    'sweep --jobs N trains N cells at a time on one machine; for several machines make a sweep of a part of the grid for each, with an --output of its own.',
  serve: 'Start one on each machine.',
};

/** Milliseconds that a rank leaves to rank 0 to say what all have found. */
const PRECEDENCE = 2000;

let joined: MpiCommunicator | undefined;
/** A rank whose part another one does. */
let idle = false;

/** The processes that this one works with: itself alone, unless it was started by MPI. */
export const ranks = (): Communicator => joined ?? alone;

/** How long a rank may wait for another before all end, and the name of the key that says so. */
export const setRanksTimeout = (seconds: number, key: string): void => joined?.setTimeout(seconds, key);

/**
 * Finds the other processes where an MPI has started this one as one of several.
 *
 * @param args the arguments after the program's name
 * @param isCommand whether there is a command of a name: what is none is for rank 0 to complain of
 * @returns those without `--distributed`; undefined where another rank does what they ask for
 * @throws UserError where the command is none for several, they do not find each other, or are not of one build: told by
 *   rank 0 alone
 */
export async function joinRanks(
  args: readonly string[],
  isCommand: (name: string) => boolean,
  env: Environment = process.env,
): Promise<readonly string[] | undefined> {
  const { way, rest } = wayOf(args);
  if (way === 'none') return rest;
  const launch = findLaunch(env);
  if (launch === undefined) {
    if (way === undefined) return rest;
    const hint = 'mpirun -n 2 admin-nmt … starts two, see docs/distributed.md.';
    throw new UserError({ problem: '--distributed mpi: no MPI has started this process', hint });
  }
  if (launch.size === 1) return rest;
  idle = launch.rank !== 0;
  const [command = ''] = rest;
  if (!isCommand(command) || rest.some((word) => /^(-h|--help|help|-V|--version)$/.test(word)))
    return idle ? undefined : rest;
  if (idle) log.setListener(() => {});
  refuseWithoutUse(command, launch);
  refuseStrangers(launch);
  if (idle) listenToErrors(launch);
  const { openMpi } = await import('../distributed/mpi.js');
  joined = openMpi(launch);
  if (idle) listenToErrors(launch, joined.hosts[joined.rank]);
  agree(joined, { 'the program': describeProgram() });
  return rest;
}

/** @throws UserError where a command has nothing for several processes to do */
function refuseWithoutUse(command: string, { launcher, size }: Launch): void {
  if (TOGETHER.includes(command)) return;
  const instead = INSTEAD[command] === undefined ? '' : ` ${INSTEAD[command]}`;
  throw new UserError({
    problem: `${command}: expected one process, found ${size}, started by ${launcher}`,
    hint: `Start it without ${launcher.split(' ')[0]}.${instead} Several processes share out: ${TOGETHER.join(', ')}. \`--distributed none\` lets each of them do all of it.`,
  });
}

/** @throws UserError where the launcher gives its processes no way to find each other */
function refuseStrangers({ launcher, size, strangers }: Launch): void {
  if (strangers === undefined) return;
  throw new UserError({
    problem: `${launcher} has started ${size} processes that cannot find each other`,
    hint: `${strangers} \`--distributed none\` lets each of them work alone.`,
  });
}

/** What all ranks find is said by rank 0: of the others, only what ends them is heard. */
function listenToErrors({ rank }: Launch, host?: string): void {
  const name = `rank ${rank}${host === undefined ? '' : ` on ${host}`}`;
  log.setListener((level, message) => {
    if (level === 'error') process.stderr.write(`error: ${name}: ${message}\n`);
  });
}

/**
 * Takes leave of the other processes before this one ends. One that fails ends all of them: rank 0 first, as what it
 * says is mostly what all have found.
 */
export const leaveRanks: Leave = async (failed, say) => {
  if (failed && idle) await setTimeout(PRECEDENCE);
  const code = await say();
  if (failed) joined?.abort('', code);
  joined?.close(code);
  return code;
};

function wayOf(args: readonly string[]): { way?: string; rest: readonly string[] } {
  const at = args.findIndex((word) => /^--distributed(=|$)/.test(word));
  if (at === -1) return { rest: args };
  const [, joint] = args[at].split('=');
  const way = joint ?? args[at + 1];
  if (way !== 'mpi' && way !== 'none')
    throw new UserError({ problem: `--distributed: expected mpi or none, found ${way ?? 'nothing'}` });
  return { way, rest: args.filter((_, i) => i !== at && (joint !== undefined || i !== at + 1)) };
}
