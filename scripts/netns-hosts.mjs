// "Hosts" of this one machine: network namespaces with links of their own on one bridge, or on a wire that is slow or loses
// what it carries (slow-wire.c). Needs root, `ip`, for a rate `tc`, for a delay or a loss a C compiler and TUN.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const id = process.pid % 10_000;
const BRIDGE = `nmtb${id}`;
/**
 * The network of the hosts, of its own for each process that makes some, and the address in it of the machine they are
 * made on.
 */
const net = `10.77.${1 + (process.pid % 255)}`;
export const NETWORK = `${net}.0/24`;
export const HERE = `${net}.1`;

/**
 * The start of a command line that has a program in a host see no processes, names and memory of another: else UCX takes hosts
 * for one, and tries their shared memory. A shell in it first calls itself `hostname`, and does OWN_MEMORY.
 */
export const ALONE = ['unshare', '--uts', '--ipc', '--pid', '--mount-proc', '--fork', '--kill-child'];
export const OWN_MEMORY = 'mount -t tmpfs none /dev/shm';

/** The signal that was heard first, and the command that runs among the hosts. */
let heard;
let running;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    heard ??= signal;
    running?.kill(signal);
  });
}

/** @throws Error where a signal was heard: what is not made yet is not to be */
export async function listen() {
  await setTimeout(0);
  if (heard !== undefined) throw new Error(`interrupted by ${heard}`);
}

/** The exit code of what was interrupted, as a shell has it; else the one given. */
const exitCodeOf = (code) => (heard === undefined ? code : 128 + constants.signals[heard]);

/** Says why hosts, or what was to be among them, could not be had. @returns the exit code */
export async function complain(what, error) {
  await setTimeout(20); // a signal that ended a program of the system may not have been heard here yet
  console.error(heard === undefined ? `${what}: ${error.message}` : `Interrupted by ${heard}`);
  return exitCodeOf(2);
}

/**
 * Runs a command among the hosts, which is told the signals that this process hears.
 *
 * @param start is given the process
 * @returns its exit code; 1 where a signal has ended it
 * @throws Error where it cannot be started
 */
export async function runAmongHosts([command, ...args], env = process.env, start = () => {}) {
  await listen();
  running = spawn(command, args, { env, stdio: 'inherit' });
  const end = once(running, 'exit'); // or its error
  start(running);
  const [code] = await end;
  return exitCodeOf(code ?? 1);
}

/** Runs a program of the system. @param more words that may have blanks in them. @throws Error where it refuses */
function system(command, ...more) {
  const [program, ...words] = command.split(' ');
  const args = [...words, ...more];
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr.trim()}`);
}

/** So many hosts, not made yet. */
export const nameHosts = (count) =>
  Array.from({ length: count }, (_, i) => ({
    name: `nmt${id}h${i}`,
    link: `nmtl${id}x${i}`,
    address: `${net}.${i + 2}`,
  }));

/**
 * Makes hosts.
 *
 * @param shape of their links: a `rate` as `tc` calls it, `100mbit`; milliseconds of `delay` on each way; percents of `loss`
 * @throws Error where it cannot be
 */
export async function makeHosts(hosts, { rate, delay = 0, loss = 0 } = {}) {
  for (const { name } of hosts) {
    system(`ip netns add ${name}`);
    system(`ip -n ${name} link set lo up`);
  }
  if (delay > 0 || loss > 0) await layWire(hosts, delay, loss);
  else layCables(hosts);
  await listen();
  system(`ip addr add ${HERE}/24 dev ${BRIDGE}`);
  system(`ip link set ${BRIDGE} up`);
  for (const { name, address } of hosts) {
    system(`ip -n ${name} addr add ${address}/24 dev eth0`);
    system(`ip -n ${name} link set eth0 up`);
    // With a burst of 128 KB no more than 230 Mb/s go through.
    if (rate !== undefined)
      system(`ip netns exec ${name} tc qdisc add dev eth0 root tbf rate ${rate} burst 1mb latency 100ms`);
  }
}

function layCables(hosts) {
  system(`ip link add ${BRIDGE} type bridge`);
  for (const { name, link } of hosts) {
    system(`ip link add ${link} type veth peer name eth0 netns ${name}`);
    system(`ip link set ${link} master ${BRIDGE} up`);
  }
}

/** The program that hands packets on, where links have a delay or a loss. */
let wire;

async function layWire(hosts, delay, loss) {
  const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-wire-'));
  try {
    const program = path.join(folder, 'slow-wire');
    system('cc -O2 -o', program, fileURLToPath(new URL('slow-wire.c', import.meta.url)));
    const ends = [`${BRIDGE}=${HERE}`, ...hosts.map(({ link, address }) => `${link}=${address}`)];
    wire = spawn(program, [`${Math.round(1000 * delay)}`, `${loss / 100}`, ...ends], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [said] = await Promise.race([once(wire.stdout, 'data'), once(wire, 'exit')]);
    if (`${said}` !== 'ready\n') throw new Error('slow-wire ended');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  // As many bytes a packet as networks of clusters have: a packet costs this wire two calls of the system.
  for (const end of [BRIDGE, ...hosts.map(({ link }) => link)])
    system(`ip link set ${end} mtu 9000 txqueuelen 10000`);
  for (const { name, link } of hosts) {
    system(`ip link set ${link} netns ${name}`);
    system(`ip -n ${name} link set ${link} name eth0`);
  }
}

/** Takes away the link of a host, as if somebody had pulled its plug. */
export function cutLink({ link, address }) {
  if (wire === undefined) system(`ip link set ${link} down`);
  else wire.stdin.write(`cut ${address}\n`);
}

/** The numbers of the processes that run in a host. */
function processesOf(name) {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
}

/** What the ranks of Open MPI and MPICH have in their environment, and the daemons that start them have not. */
const RANK = /(^|\0)(OMPI_COMM_WORLD_RANK|PMI_RANK)=/;

/** Whether ranks of MPI run in the hosts. */
export function hasRanks(hosts) {
  return hosts.some(({ name }) =>
    processesOf(name).some((one) => {
      try {
        return RANK.test(readFileSync(`/proc/${one}/environ`, 'latin1'));
      } catch {
        return false; // it has ended meanwhile
      }
    }),
  );
}

/** Removes what `makeHosts` has made, also half of it, and ends whatever runs there. */
export function removeHosts(hosts) {
  for (const { name, link } of hosts) {
    for (const left of processesOf(name)) {
      try {
        process.kill(left, 'SIGKILL'); // whom nobody could tell
      } catch {} // it has ended meanwhile
    }
    spawnSync('ip', ['link', 'del', link]);
    spawnSync('ip', ['netns', 'del', name]);
  }
  spawnSync('ip', ['link', 'del', BRIDGE]);
  wire?.stdin.end();
}
