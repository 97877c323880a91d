import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { Communicator, Pending, Traffic } from '../common/communicator.js';
import { UserError } from '../common/errors.js';
import { packageRoot } from '../common/files.js';
import type { Launch } from './launcher.js';

type Numbers = Float32Array | Float64Array;

/** What the addon exports; see native/mpi. */
interface Addon {
  /** Starts MPI. @throws Error where no library is there, or it does not start */
  open(libraries: readonly string[], seconds: number): Opened;
  know(hosts: readonly string[], ranksHere: Int32Array, processes: Int32Array): void;
  setTimeout(seconds: number, name: string): void;
  beginSum(arrays: readonly Numbers[], exact: boolean): number;
  wait(ticket: number): void;
  exchange(own: Uint8Array): Buffer[];
  broadcast(own: Uint8Array): Buffer;
  abort(message: string, code: number): never;
  close(code: number): void;
  traffic(): Omit<Traffic, 'blockedSeconds'>;
}

interface Opened {
  rank: number;
  size: number;
  library: string;
  version: string;
}

/** Seconds that MPI may take to start. */
const START_SECONDS = 120;
/** Seconds that a rank may wait for another, where nobody says. */
const TIMEOUT_SECONDS = 600;

/**
 * UCX, on which MPICH and some builds of Open MPI stand, watches how the process maps memory, and takes its faults for its
 * own: the engine of JavaScript does both itself.
 */
const BESIDE_V8 = { UCX_MEM_EVENTS: 'no', UCX_ERROR_SIGNALS: '' };

/** The ranks of an MPI, with what its owner may do. */
export interface MpiCommunicator extends Communicator {
  /** The library and its version, in a line. */
  readonly library: string;
  /** How long a rank may wait for another, and what the user calls that. */
  setTimeout(seconds: number, name: string): void;
  /** Waits for all ranks, and takes leave of MPI; where that has no end, the process ends with the exit code. */
  close(code: number): void;
}

/**
 * Opens the way to the other processes of a launch.
 *
 * @param exact whether sums go in the order of a tree; else in the order that MPI likes
 * @throws UserError where there is no MPI that the launcher understands, or it does not work
 */
export function openMpi(launch: Launch, exact = true): MpiCommunicator {
  const addon = loadAddon(launch);
  for (const [name, value] of Object.entries(BESIDE_V8)) process.env[name] ??= value;
  let opened: Opened;
  try {
    opened = addon.open(launch.libraries, START_SECONDS);
  } catch (error) {
    throw refusal(launch, (error as Error).message);
  }
  const { rank, size, library, version } = opened;
  if (size !== launch.size) {
    const found = `${library} (${firstLine(version)}) sees ${size === 1 ? 'one process alone' : `${size} processes`}`;
    throw refusal(launch, `${found}: it is not the library of this launcher`);
  }
  const communicator = communicatorOf(addon, rank, size, `${library}, ${firstLine(version)}`, exact);
  communicator.setTimeout(TIMEOUT_SECONDS, '');
  return communicator;
}

function loadAddon(launch: Launch): Addon {
  const folder = process.env.ADMIN_NMT_NATIVE ?? path.join(packageRoot(), 'native', 'build');
  const file = path.join(folder, `mpi-${process.platform}-${process.arch}.node`);
  if (!existsSync(file)) {
    throw new UserError({
      problem: `${launch.launcher} has started ${launch.size} processes, but what speaks with MPI is not built`,
      hint: 'Install g++ or clang++ and run `node native/build-mpi.mjs --force` in the folder of admin-nmt.',
    });
  }
  return createRequire(import.meta.url)(file);
}

const refusal = ({ launcher, size, libraries }: Launch, found: string): UserError =>
  new UserError({
    problem: `${launcher} has started ${size} processes that do not find each other: ${found}`,
    hint:
      'Every host needs the program at the same path (the launcher says above where it did not start), and the library of the MPI ' +
      `whose mpirun it is (looked for: ${libraries.join(', ')}; ADMIN_NMT_MPI names a file); \`--distributed none\` lets each process work alone.`,
  });

const firstLine = (text: string): string => text.split('\n')[0].split(',')[0].trim();

function communicatorOf(
  addon: Addon,
  rank: number,
  size: number,
  library: string,
  exact: boolean,
): MpiCommunicator {
  let blockedSeconds = 0;
  const blocked = <T>(work: () => T): T => {
    const start = performance.now();
    const result = work();
    blockedSeconds += (performance.now() - start) / 1000;
    return result;
  };
  /** What the thread of the addon works on must not be collected. */
  const held = new Map<number, readonly Numbers[]>();
  const beginSum = (arrays: readonly Numbers[]): Pending => {
    const ticket = addon.beginSum(arrays, exact);
    held.set(ticket, arrays);
    return {
      wait: () => {
        blocked(() => addon.wait(ticket));
        held.delete(ticket);
      },
    };
  };
  const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? 'null');
  const exchange = <T>(value: T): T[] =>
    blocked(() => addon.exchange(bytesOf(value))).map((bytes) => JSON.parse(bytes.toString()));
  const processes = exchange({ host: os.hostname(), process: process.pid });
  const hosts = processes.map(({ host }) => host);
  const here = processes.flatMap(({ host }, other) =>
    host === hosts[rank] && other !== rank ? [other] : [],
  );
  addon.know(
    hosts,
    Int32Array.from(here),
    Int32Array.from(here, (other) => processes[other].process),
  );
  return {
    ...{ rank, size, hosts, library, beginSum, exchange },
    broadcast: <T>(value: T): T =>
      JSON.parse(blocked(() => addon.broadcast(bytesOf(rank === 0 ? value : null))).toString()),
    barrier: () => void exchange(null),
    abort: (message, code) => addon.abort(message, code),
    setTimeout: (seconds, name) => addon.setTimeout(seconds, name),
    close: (code) => addon.close(code),
    get traffic() {
      return { ...addon.traffic(), blockedSeconds };
    },
  };
}
