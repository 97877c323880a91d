// node scripts/slurm-hosts.mjs [--hosts 2] [--slots 2] -- COMMAND…
//
// Runs a command, such as `sbatch --wait train.sh`, where Slurm has several nodes: "hosts" of this one machine, each with a
// slurmd of so many CPUs, and a network, a name, processes and shared memory of its own. Needs root, `ip` and Debian's
// slurmctld, slurmd, slurm-client and munge; whatever it makes it removes. With --keep the logs of the daemons stay.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  ALONE,
  complain,
  HERE,
  listen,
  makeHosts,
  nameHosts,
  OWN_MEMORY,
  removeHosts,
  runAmongHosts,
} from './netns-hosts.mjs';

const { values, positionals } = parseArgs({
  options: {
    hosts: { type: 'string', default: '2' },
    slots: { type: 'string', default: '2' },
    keep: { type: 'boolean' },
  },
  allowPositionals: true,
});
const hosts = nameHosts(Number(values.hosts));
const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-slurm-'));
const file = (name) => path.join(folder, name);
const daemons = [];

/** @throws Error naming what is not installed */
function refuseWithout(...programs) {
  const missing = programs.filter((one) => spawnSync('sh', ['-c', `command -v ${one}`]).status !== 0);
  if (missing.length > 0) throw new Error(`${missing.join(', ')}: not installed`);
}

function writeConfig() {
  const nodes = hosts.map(({ name, address }) => `NodeName=${name} NodeAddr=${address} CPUs=${values.slots}`);
  const lines = [
    ...['ClusterName=nmt', `SlurmctldHost=${hostname()}(${HERE})`, 'SlurmUser=root', 'ReturnToService=2'],
    ...[
      `AuthInfo=socket=${file('munge')}`,
      `StateSaveLocation=${file('state')}`,
      `SlurmctldPort=${16_000 + (process.pid % 1000)}`,
    ],
    ...[`SlurmdSpoolDir=${file('%n')}`, `TmpFS=${file('%n')}`], // PMIx puts into TmpFS what a node has once
    ...[`SlurmctldPidFile=${file('slurmctld.pid')}`, `SlurmdPidFile=${file('%n.pid')}`],
    ...['ProctrackType=proctrack/linuxproc', 'TaskPlugin=task/none', 'SlurmdParameters=config_overrides'],
    ...['SelectType=select/cons_tres', 'SelectTypeParameters=CR_CPU', ...nodes],
    'PartitionName=all Nodes=ALL Default=YES',
  ];
  writeFileSync(file('slurm.conf'), `${lines.join('\n')}\n`);
  writeFileSync(file('cgroup.conf'), 'CgroupPlugin=cgroup/v1\n'); // none is used, but slurmd looks for what there is
}

/** Of its own group: Ctrl-C is not for it. */
const daemon = (command, ...args) => daemons.push(spawn(command, args, { stdio: 'ignore', detached: true }));

function startDaemons() {
  chmodSync(folder, 0o755); // or munged refuses
  for (const name of ['state', ...hosts.map(({ name }) => name)]) mkdirSync(file(name));
  writeFileSync(file('key'), 'k'.repeat(64), { mode: 0o600 });
  const places = {
    socket: '',
    'key-file': 'key',
    'pid-file': '.pid',
    'log-file': '.log',
    'seed-file': '.seed',
  };
  const munge = Object.entries(places).map(
    ([what, end]) => `--${what}=${file(end === 'key' ? end : `munge${end}`)}`,
  );
  daemon('munged', '--foreground', ...munge);
  daemon('slurmctld', '-D', '-c', '-L', file('slurmctld.log'));
  for (const { name } of hosts) {
    const slurmd = `hostname ${name}; ${OWN_MEMORY}; exec slurmd -D -L ${file(name)}.log`;
    daemon('ip', 'netns', 'exec', name, ...ALONE, 'sh', '-c', slurmd);
  }
}

/** Waits until all nodes are there. @throws Error where one is not, after a minute */
async function waitForNodes() {
  for (let second = 0; second < 60; second++) {
    const { stdout } = spawnSync('sinfo', ['-h', '-N', '-t', 'idle', '-o', '%N'], { encoding: 'utf8' });
    if (stdout.split('\n').filter(Boolean).length === hosts.length) return;
    await setTimeout(1000);
    await listen();
  }
  throw new Error('the nodes did not come up; --keep leaves their logs');
}

try {
  refuseWithout('munged', 'slurmctld', 'slurmd', 'sinfo', 'ip', 'unshare');
  process.env.SLURM_CONF = file('slurm.conf');
  await makeHosts(hosts);
  writeConfig();
  startDaemons();
  await waitForNodes();
  process.exitCode = await runAmongHosts(positionals);
} catch (error) {
  process.exitCode = await complain('Slurm cannot be had here', error);
} finally {
  for (const one of daemons) one.kill('SIGKILL');
  removeHosts(hosts);
  if (values.keep) console.error(`Logs: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
