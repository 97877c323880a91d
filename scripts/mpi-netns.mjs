// node scripts/mpi-netns.mjs [--hosts 2] [--slots 1] [--delay 1ms] [--rate 1gbit] [--loss 0%] [--cut SECONDS] -- COMMAND…
//
// Runs a command under mpirun on several "hosts" of this one machine: network namespaces with links of their own, which
// Open MPI reaches over TCP by a hostfile, as many ranks on each as it has slots. `tc` gives the links a delay, a rate and
// a loss; --cut takes the last host's link away after so many seconds. Needs root, `ip`, `tc` and Open MPI; whatever it
// makes it removes.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

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
const id = process.pid % 10_000;
const BRIDGE = `nmtb${id}`;
const hosts = Array.from({ length: Number(values.hosts) }, (_, i) => ({
  name: `nmt${id}h${i}`,
  link: `nmtl${id}x${i}`,
  address: `10.77.0.${i + 2}`,
}));

/** Runs a program of the system. @throws Error where it refuses */
function system(command) {
  const [program, ...args] = command.split(' ');
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr.trim()}`);
}

function lay() {
  system(`ip link add ${BRIDGE} type bridge`);
  system(`ip addr add 10.77.0.1/24 dev ${BRIDGE}`);
  system(`ip link set ${BRIDGE} up`);
  for (const { name, link, address } of hosts) {
    system(`ip netns add ${name}`);
    system(`ip link add ${link} type veth peer name eth0 netns ${name}`);
    system(`ip link set ${link} master ${BRIDGE} up`);
    system(`ip -n ${name} addr add ${address}/24 dev eth0`);
    system(`ip -n ${name} link set eth0 up`);
    system(`ip -n ${name} link set lo up`);
    const shape = ['delay', 'rate', 'loss'].flatMap((what) => (values[what] ? [what, values[what]] : []));
    if (shape.length === 0) continue;
    // A rate alone needs no netem, which not every kernel has. With a burst of 128 KB no more than 230 Mb/s go through.
    const how =
      values.rate && shape.length === 2
        ? `tbf ${shape.join(' ')} burst 1mb latency 100ms`
        : `netem ${shape.join(' ')} limit 100000`;
    system(`ip netns exec ${name} tc qdisc add dev eth0 root ${how}`);
  }
}

function remove() {
  for (const { name, link } of hosts) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
    for (const left of stdout.split('\n').filter(Boolean)) process.kill(Number(left), 'SIGKILL'); // whom nobody could tell
    spawnSync('ip', ['link', 'del', link]);
    spawnSync('ip', ['netns', 'del', name]);
  }
  spawnSync('ip', ['link', 'del', BRIDGE]);
}

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
  lay();
  const net = '10.77.0.0/24';
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
    ...['--mca', 'btl_tcp_if_include', net, '--mca', 'oob_tcp_if_include', net],
    ...['--wdir', process.cwd(), ...positionals],
  ];
  const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const child = spawn('mpirun.openmpi', args, { stdio: 'inherit', env });
  const { link } = hosts.at(-1);
  const cut = () => {
    console.error(`The link of the last host is cut at ${new Date().toISOString()}`);
    system(`ip link set ${link} down`);
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
  remove();
  rmSync(folder, { recursive: true, force: true });
}
