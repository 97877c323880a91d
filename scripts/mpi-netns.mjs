// node scripts/mpi-netns.mjs [--launcher mpirun.openmpi] [--hosts 2] [--slots 1] [--delay MILLISECONDS] [--rate 100mbit] [--loss PERCENT] [--cut SECONDS] -- COMMAND…
//
// Runs a command under mpirun on several "hosts" of this one machine: network namespaces with links of their own, which
// Open MPI or MPICH (--launcher mpirun.mpich) reaches over TCP by a hostfile, as many ranks on each as it has slots. The
// links may have a delay (each way), a rate and a loss; --cut takes the last host's link away after so many seconds, and
// ends the launcher once all ranks have ended. Needs what netns-hosts.mjs needs, and that MPI; whatever it makes it removes. ADMIN_NMT_HOST is the number of the host, from 0.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  ALONE,
  cutLink,
  HERE,
  isRunning,
  makeHosts,
  NETWORK,
  nameHosts,
  OWN_MEMORY,
  removeHosts,
} from './netns-hosts.mjs';

const { values, positionals } = parseArgs({
  options: {
    launcher: { type: 'string', default: 'mpirun.openmpi' },
    hosts: { type: 'string', default: '2' },
    slots: { type: 'string', default: '1' },
    delay: { type: 'string' },
    rate: { type: 'string' },
    loss: { type: 'string' },
    cut: { type: 'string' },
  },
  allowPositionals: true,
});
const hosts = nameHosts(Number(values.hosts));
const shape = { rate: values.rate, delay: numberOf('delay'), loss: numberOf('loss') };

function numberOf(option) {
  const number = Number(values[option] ?? 0);
  if (number >= 0) return number;
  console.error(`--${option}: expected a number, found ${values[option]}`);
  process.exit(2);
}

/** What each launcher is told: how it reads a hostfile, what it starts daemons by, which network it takes. */
const LAUNCHERS = {
  'mpirun.openmpi': {
    hostLine: (address) => `${address} slots=${values.slots}`,
    enter: 'unshare --uts',
    prepare: '',
    options: (hostfile, agent) => [
      ...['--hostfile', hostfile, '--bind-to', 'none', '--mca', 'plm_rsh_agent', agent],
      ...['--mca', 'btl', 'tcp,self', '--mca', 'btl_tcp_if_include', NETWORK],
      ...['--mca', 'oob_tcp_if_include', NETWORK, '--wdir', process.cwd()],
    ],
  },
  'mpirun.mpich': {
    hostLine: (address) => `${address}:${values.slots}`,
    enter: ALONE.join(' '),
    prepare: `${OWN_MEMORY}; `,
    options: (hostfile, agent) => [
      ...['-f', hostfile, '-launcher-exec', agent, '-localhost', HERE, '-wdir', process.cwd()],
      ...['-genv', 'UCX_NET_DEVICES', 'eth0', '-genv', 'UCX_TLS', 'tcp,self'],
    ],
  },
};
const launcher = LAUNCHERS[values.launcher];
if (launcher === undefined) {
  console.error(`--launcher: expected one of ${Object.keys(LAUNCHERS).join(', ')}, found ${values.launcher}`);
  process.exit(2);
}

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

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-hosts-'));
try {
  await makeHosts(hosts, shape);
  const ranks = hosts.length * Number(values.slots);
  const args = [
    ...launcher.options(writeHostfile(folder), writeAgent(folder)),
    '-n',
    `${ranks}`,
    ...positionals,
  ];
  const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const child = spawn(values.launcher, args, { stdio: 'inherit', env });
  const cut = async () => {
    console.error(`The link of the last host is cut at ${new Date().toISOString()}`);
    cutLink(hosts.at(-1));
    const started = performance.now();
    while (isRunning(hosts, positionals)) await setTimeout(100);
    console.error(`All ranks have ended ${((performance.now() - started) / 1000).toFixed(1)} s after that`);
    await setTimeout(1000);
    child.kill('SIGKILL'); // Open MPI's waits for its own daemon on a lost host until the system gives up, a quarter of an hour
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  if (values.cut !== undefined) setTimeout(1000 * Number(values.cut), undefined, { ref: false }).then(cut);
  process.exitCode = await new Promise((resolve) => {
    child.on('exit', (status) => resolve(status ?? 1));
    child.on('error', (error) => {
      console.error(`${values.launcher}: ${error.message}`);
      resolve(2);
    });
  });
  console.error(`Ended with ${process.exitCode} at ${new Date().toISOString()}`);
} catch (error) {
  console.error(`Hosts cannot be made here: ${error.message}`);
  process.exitCode = 2;
} finally {
  removeHosts(hosts);
  rmSync(folder, { recursive: true, force: true });
}
