import { formatDuration } from '../../common/duration.js';
import { formatMemory } from '../../common/memory-limit.js';
import {
  courseOfUpdate,
  epochOf,
  foretell,
  NETWORKS,
  type Network,
  RANKS,
  type Work,
} from '../../distributed/cost-model.js';
import type { Rehearsal } from '../../train/rehearsal.js';

/**
 * What several ranks would gain, as lines of text: a table over networks and numbers of ranks.
 *
 * @param ranks of which more is said
 * @param measured what was found between the ranks that there are
 */
export function describeForecast(
  { bucketBytes, secondsOfToken, secondsOfUpdate, batches }: Rehearsal,
  updateFreq: number,
  ranks: number,
  measured?: Network,
): string {
  const work: Work = { bucketBytes, updateFreq, secondsOfToken, secondsOfUpdate, tokens: batches };
  const { updates, mean, slowest } = epochOf(work, ranks);
  const { messages, bytes } = courseOfUpdate(work, ranks);
  const gradientBytes = bucketBytes.reduce((sum, size) => sum + size, 0);
  const each = (seconds: number): string => `${(seconds / updates).toPrecision(3)} s`;
  const lines = [
    `Ranks     ${ranks} × update-freq ${updateFreq}: ${updates} updates an epoch, of ${ranks * updateFreq} batches; a rank takes ` +
      `${each(mean)} of one on average, the slowest ${each(slowest)}`,
    `Sums      ${formatMemory(bytes)} and ${messages} messages one after another an update ` +
      `(gradients: ${formatMemory(gradientBytes)}, in ${bucketBytes.length} parts)`,
  ];
  const counts = [...new Set([...RANKS, ranks])].sort((a, b) => a - b);
  const rows = [
    ['Efficiency with … ranks', 'a message', 'rate', ...counts.map(String), `epoch with ${ranks}`],
    ...[...(measured === undefined ? [] : [measured]), ...NETWORKS].map((network) => [
      network.name,
      `${Number((1e6 * network.latency).toPrecision(2))} µs`,
      `${Number((network.bandwidth / 1e9).toPrecision(2))} GB/s`,
      ...counts.map((count) => `${Math.round(100 * foretell(work, count, network).efficiency)} %`),
      formatDuration(foretell(work, ranks, network).seconds),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const table = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
  );
  return [...lines, '', ...table].map((line) => `${line}\n`).join('');
}
