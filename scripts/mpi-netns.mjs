// node scripts/mpi-netns.mjs [--launcher mpirun.openmpi] [--hosts 2] [--slots 1] [--delay MILLISECONDS] [--rate 100mbit]
//   [--loss PERCENT] [--cut SECONDS] -- COMMAND…
//
// Runs a command under mpirun on several "hosts" of this one machine: network namespaces with links of their own, which
// Open MPI or MPICH (--launcher mpirun.mpich) reaches over TCP by a hostfile, as many ranks on each as it has slots. The
// links may have a delay (each way), a rate and a loss; --cut takes the last host's link away after so many seconds, and
// ends the launcher once all ranks have ended. Needs what netns-hosts.mjs needs, and that MPI; whatever it makes it
// removes, unless it is killed. ADMIN_NMT_HOST is the number of the host, from 0.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  ALONE,
  complain,
  cutLink,
  HERE,
  hasRanks,
  makeHosts,
  NETWORK,
  nameHosts,
  OWN_MEMORY,
  removeHosts,
  runAmongHosts,
} from './netns-hosts.mjs';

/** Ends with a word on what was given. */
function refuse(message) {
  console.error(`mpi-netns: ${message}`);
  process.exit(2);
}

function readOptions() {
  const text = { type: 'string' };
  const options = {
    launcher: text,
    hosts: text,
    slots: text,
    delay: text,
    rate: text,
    loss: text,
    cut: text,
  };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return refuse(error.message);
  }
}

const { values, positionals } = readOptions();
if (positionals.length === 0) refuse('expected a command behind --, found none');

/** A number that an option gives. */
function numberOf(option, { least = 0, most, whole = false, otherwise }) {
  if (values[option] === undefined) return otherwise;
  const number = Number(values[option]);
  const fits =
    values[option] !== '' && number >= least && number <= most && (!whole || Number.isInteger(number));
  if (fits) return number;
  return refuse(
    `--${option}: expected ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}, found ${values[option]}`,
  );
}

const hosts = nameHosts(numberOf('hosts', { least: 1, most: 63, whole: true, otherwise: 2 }));
const slots = numberOf('slots', { least: 1, most: 1024, whole: true, otherwise: 1 });
const cutAfter = numberOf('cut', { most: 1e6 });
const shape = {
  rate: values.rate,
  delay: numberOf('delay', { most: 10_000, otherwise: 0 }),
  loss: numberOf('loss', { most: 99, otherwise: 0 }),
};

/** What each launcher is told: how it reads a hostfile, what it starts daemons by, which network it takes. */
const LAUNCHERS = {
  'mpirun.openmpi': {
    hostLine: (address) => `${address} slots=${slots}`,
    enter: 'unshare --uts',
    prepare: '',
    options: (hostfile, agent) => [
      ...['--hostfile', hostfile, '--bind-to', 'none', '--mca', 'plm_rsh_agent', agent],
      ...['--mca', 'btl', 'tcp,self', '--mca', 'btl_tcp_if_include', NETWORK],
      ...['--mca', 'oob_tcp_if_include', NETWORK, '--wdir', process.cwd()],
    ],
  },
  'mpirun.mpich': {
    hostLine: (address) => `${address}:${slots}`,
    enter: ALONE.join(' '),
    prepare: `${OWN_MEMORY}; `,
    options: (hostfile, agent) => [
      ...['-f', hostfile, '-launcher-exec', agent, '-localhost', HERE, '-wdir', process.cwd()],
      ...['-genv', 'UCX_NET_DEVICES', 'eth0', '-genv', 'UCX_TLS', 'tcp,self'],
    ],
  },
};
const { launcher: name = 'mpirun.openmpi' } = values;
const launcher = LAUNCHERS[name];
if (launcher === undefined)
  refuse(`--launcher: expected one of ${Object.keys(LAUNCHERS).join(', ')}, found ${name}`);

/** What stands in for ssh: a shell in the namespace of a host, which has its name, too. */
function writeAgent(folder) {
  const agent = path.join(folder, 'agent.sh');
  const cases = hosts.map(({ address, name }, i) => `${address}) host=${name}; number=${i};;`).join(' ');
  const script = `#!/bin/sh
while [ "\${1#-}" != "$1" ]; do shift; done # options of ssh
to=$1; shift
case $to in ${cases} esac
export ADMIN_NMT_HOST=$number
exec ip netns exec $host ${launcher.enter} sh -c "hostname $host; ${launcher.prepare}$*"
`;
  writeFileSync(agent, script, { mode: 0o755 });
  return agent;
}

function writeHostfile(folder) {
  const file = path.join(folder, 'hosts');
  writeFileSync(file, hosts.map(({ address }) => `${launcher.hostLine(address)}\n`).join(''));
  return file;
}

/**
 * Ends the launcher, if it is still there, when all ranks have ended. Open MPI's waits for its own daemon on a lost host
 * until the system gives up, a quarter of an hour; interrupted while it starts, for ever.
 */
async function endAfterRanks(child) {
  const started = performance.now();
  while (hasRanks(hosts)) await setTimeout(100);
  const seconds = (performance.now() - started) / 1000;
  await setTimeout(1000, undefined, { ref: false });
  child.kill('SIGKILL');
  return seconds;
}

/** Takes the last link away. */
async function cutLast(child) {
  console.error(`The link of the last host is cut at ${new Date().toISOString()}`);
  cutLink(hosts.at(-1));
  const seconds = await endAfterRanks(child);
  console.error(`All ranks have ended ${seconds.toFixed(1)} s after that`);
}

/** Runs the command, and waits for all ranks to end, where a link was cut. @returns the exit code */
async function run(folder) {
  const options = launcher.options(writeHostfile(folder), writeAgent(folder));
  const command = [name, ...options, '-n', `${hosts.length * slots}`, ...positionals];
  const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const over = new AbortController();
  let cutting;
  const code = await runAmongHosts(command, env, (child) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => endAfterRanks(child));
    if (cutAfter === undefined) return;
    const until = setTimeout(1000 * cutAfter, undefined, { signal: over.signal });
    cutting = until
      .then(() => cutLast(child))
      .catch((error) => {
        if (!over.signal.aborted) console.error(`The link cannot be cut: ${error.message}`);
      });
  });
  over.abort();
  await cutting;
  return code;
}

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-hosts-'));
try {
  await makeHosts(hosts, shape);
  process.exitCode = await run(folder);
  console.error(`Ended with ${process.exitCode} at ${new Date().toISOString()}`);
} catch (error) {
  process.exitCode = await complain('Hosts cannot be had here', error);
} finally {
  removeHosts(hosts);
  rmSync(folder, { recursive: true, force: true });
}
