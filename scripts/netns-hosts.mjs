// "Hosts" of this one machine: network namespaces with links of their own on one bridge. Needs root, `ip` and `tc`.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const id = process.pid % 10_000;
const BRIDGE = `nmtb${id}`;
/** The network of the hosts, of its own for each process that makes some, and the address in it of the machine they are made on. */
const net = `10.77.${1 + (process.pid % 255)}`;
export const NETWORK = `${net}.0/24`;
export const HERE = `${net}.1`;

/**
 * The start of a command line that has a program in a host see no processes, names and memory of another: else UCX takes hosts
 * for one, and tries their shared memory. A shell in it first calls itself `hostname`, and does OWN_MEMORY.
 */
export const ALONE = ['unshare', '--uts', '--ipc', '--pid', '--mount-proc', '--fork', '--kill-child'];
export const OWN_MEMORY = 'mount -t tmpfs none /dev/shm';

/** Runs a program of the system. @throws Error where it refuses */
function system(command) {
  const [program, ...args] = command.split(' ');
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

/** Makes hosts, whose links have the delay, rate and loss of `shape`, as `tc` calls them. @throws Error where it cannot be */
export function makeHosts(hosts, shape = {}) {
  system(`ip link add ${BRIDGE} type bridge`);
  system(`ip addr add ${HERE}/24 dev ${BRIDGE}`);
  system(`ip link set ${BRIDGE} up`);
  for (const { name, link, address } of hosts) {
    system(`ip netns add ${name}`);
    system(`ip link add ${link} type veth peer name eth0 netns ${name}`);
    system(`ip link set ${link} master ${BRIDGE} up`);
    system(`ip -n ${name} addr add ${address}/24 dev eth0`);
    system(`ip -n ${name} link set eth0 up`);
    system(`ip -n ${name} link set lo up`);
    shapeLink(name, shape);
  }
}

function shapeLink(name, shape) {
  const words = ['delay', 'rate', 'loss'].flatMap((what) => (shape[what] ? [what, shape[what]] : []));
  if (words.length === 0) return;
  // A rate alone needs no netem, which not every kernel has. With a burst of 128 KB no more than 230 Mb/s go through.
  const how =
    shape.rate && words.length === 2
      ? `tbf ${words.join(' ')} burst 1mb latency 100ms`
      : `netem ${words.join(' ')} limit 100000`;
  system(`ip netns exec ${name} tc qdisc add dev eth0 root ${how}`);
}

/** Takes away the link of a host, as if somebody had pulled its plug. */
export const cutLink = ({ link }) => system(`ip link set ${link} down`);

/** Removes what `makeHosts` has made, also half of it, and ends whatever runs there. */
export function removeHosts(hosts) {
  for (const { name, link } of hosts) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
    for (const left of stdout.split('\n').filter(Boolean)) {
      try {
        process.kill(Number(left), 'SIGKILL'); // whom nobody could tell
      } catch {} // it has ended meanwhile
    }
    spawnSync('ip', ['link', 'del', link]);
    spawnSync('ip', ['netns', 'del', name]);
  }
  spawnSync('ip', ['link', 'del', BRIDGE]);
}
