// node scripts/mpi-netns.mjs [--hosts 2] [--slots 1] [--delay 1ms] [--rate 1gbit] [--loss 0%] [--cut SECONDS] -- COMMAND…
//
// Runs a command under mpirun on several "hosts" of this one machine: network namespaces with links of their own, which
// Open MPI reaches over TCP by a hostfile, as many ranks on each as it has slots. `tc` gives the links a delay, a rate and
// a loss; --cut takes the last host's link away after so many seconds. Needs root, `ip`, `tc` and Open MPI; whatever it
// makes it removes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { cutLink, makeHosts, NETWORK, nameHosts, removeHosts } from './netns-hosts.mjs';

const { values, positionals } = parseArgs({
  options: {
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

/** What stands in for ssh: a shell in the namespace of a host, which has its name, too. */
function writeAgent(folder) {
  const agent = path.join(folder, 'agent.sh');
  const cases = hosts.map(({ address, name }) => `${address}) host=${name};;`).join(' ');
  const script = `#!/bin/sh\nto=$1; shift\ncase $to in ${cases} esac\nexec ip netns exec $host unshare --uts sh -c "hostname $host; $*"\n`;
  writeFileSync(agent, script, { mode: 0o755 });
  return agent;
}

function writeHostfile(folder) {
  const file = path.join(folder, 'hosts');
  writeFileSync(file, hosts.map(({ address }) => `${address} slots=${values.slots}\n`).join(''));
  return file;
}

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-hosts-'));
try {
  makeHosts(hosts, values);
  const args = [
    ...[
      '--hostfile',
      writeHostfile(folder),
      '-n',
      `${hosts.length * Number(values.slots)}`,
      '--bind-to',
      'none',
    ],
    ...['--mca', 'plm_rsh_agent', writeAgent(folder), '--mca', 'btl', 'tcp,self'],
    ...['--mca', 'btl_tcp_if_include', NETWORK, '--mca', 'oob_tcp_if_include', NETWORK],
    ...['--wdir', process.cwd(), ...positionals],
  ];
  const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const child = spawn('mpirun.openmpi', args, { stdio: 'inherit', env });
  const cut = () => {
    console.error(`The link of the last host is cut at ${new Date().toISOString()}`);
    cutLink(hosts.at(-1));
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const timer = values.cut === undefined ? undefined : setTimeout(cut, 1000 * Number(values.cut));
  process.exitCode = await new Promise((resolve) => {
    child.on('exit', (status) => resolve(status ?? 1));
    child.on('error', (error) => {
      console.error(`mpirun.openmpi: ${error.message}`);
      resolve(2);
    });
  });
  clearTimeout(timer);
  console.error(`Ended with ${process.exitCode} at ${new Date().toISOString()}`);
} catch (error) {
  console.error(`Hosts cannot be made here: ${error.message}`);
  process.exitCode = 2;
} finally {
  removeHosts(hosts);
  rmSync(folder, { recursive: true, force: true });
}
