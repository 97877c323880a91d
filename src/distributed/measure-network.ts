import type { Communicator } from '../common/communicator.js';
import { median } from '../common/statistics.js';
import { courseOf, type Network } from './cost-model.js';

/** Numbers of a large sum: long enough for the rate of a wire to show, short enough for a slow one. */
const MANY = 2 ** 22;
/** Sums one after another, as the first ones open connections; and how often. */
const TIMED = { small: 30, large: 2, rounds: 5 };

/** Measures what lies between ranks, by sums such as those of an update. All of them call it. */
export function measureNetwork(communicator: Communicator): Network {
  const { size, hosts } = communicator;
  const timed = (numbers: number, times: number): number => {
    const array = new Float32Array(numbers);
    const seconds = Array.from({ length: TIMED.rounds }, () => {
      const started = performance.now();
      for (let i = 0; i < times; i++) communicator.beginSum([array]).wait();
      return (performance.now() - started) / 1000 / times;
    });
    return median(seconds);
  };
  const small = courseOf(4, size);
  const large = courseOf(4 * MANY, size);
  const latency = timed(1, TIMED.small) / small.messages;
  const rest = Math.max(timed(MANY, TIMED.large) - large.messages * latency, Number.EPSILON);
  const places = new Set(hosts).size;
  const name = places === 1 ? `${size} ranks of one host, measured` : `these ${places} hosts, measured`;
  return { name, latency, bandwidth: large.bytes / rest };
}
