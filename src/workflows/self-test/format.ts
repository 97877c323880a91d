import { lackOf } from '../../backend/webgpu/driver-files.js';
import { formatBytes } from '../../report/runs-table.js';
import type { SelfTest } from './self-test.js';
import type { Speed } from './speed.js';

/** The report for people. */
export function formatSelfTest(report: SelfTest): string {
  const { program, asked, backend, missing } = report;
  return [
    `admin-nmt ${program.version}, Node.js ${program.node}, ${program.system}, ${program.processor}`,
    backend === null ? `${asked.backend}: not available` : `${backend.name}: ${backend.reason}`,
    ...describeCard(report),
    ...(missing === null ? [] : describeDriver(report)),
    ...describeCorrectness(report),
    ...(report.speed === null ? [] : describeSpeed(report.speed)),
    ...(report.card === null
      ? []
      : [
          '',
          `Please send us this of your card: admin-nmt check --backend ${asked.backend} --json > card.json`,
        ]),
  ].join('\n');
}

function describeCard({ card }: SelfTest): string[] {
  if (card === null) return [];
  const { vendor, architecture, device, description, subgroups, features, used, units, limits } = card;
  const ofInterest = features.filter((name) => /f16|subgroup|timestamp/.test(name));
  return [
    `  vendor ${vendor}, architecture ${architecture}, device ${device}, driver ${description}; webgpu ${card.package}`,
    `  subgroups of ${subgroups.join(' to ')}; features: ${ofInterest.join(', ') || 'none of interest'}; used: ${used.join(', ') || 'none'}`,
    ...(units.length === 0 ? [] : [`  matrix units: ${units.join('; ')}`]),
    ...Object.entries(limits).map(([name, { has, got }]) =>
      has === got ? `  ${name} ${has}` : `  ${name} ${has}, used ${got}`,
    ),
  ];
}

function describeDriver({ driver }: SelfTest): string[] {
  if (driver === null) return [];
  const { loader, drivers, cards } = driver;
  return [
    `  libvulkan.so.1: ${loader ? 'there' : 'not there'}`,
    `  drivers for Vulkan: ${drivers.join(', ') || 'none'}`,
    `  device files of cards: ${cards.join(', ') || 'none'}`,
    ...lackOf(driver).map((line) => `  ${line}`),
  ];
}

function describeCorrectness({ correctness }: SelfTest): string[] {
  if (correctness === null) return [];
  const { comparisons, failure, seconds } = correctness;
  const width = Math.max(0, ...comparisons.map(({ what }) => what.length));
  return [
    '',
    'against the reference, largest error as a share of the largest number',
    ...comparisons.map(
      ({ what, error, most, right }) =>
        `  ${right ? 'ok   ' : 'WRONG'}  ${what.padEnd(width)}  ${error.toExponential(1)}${right ? '' : `, at most ${most.toExponential(1)}`}`,
    ),
    ...(failure === null ? [] : [`  FAILED  ${failure}`]),
    `  ${comparisons.filter(({ right }) => right).length} of ${comparisons.length} right, in ${seconds.toFixed(1)} s`,
  ];
}

function describeSpeed({ program, read, bytesPerSecond, products, steps, left }: Speed): string[] {
  const lines = [
    '',
    'speed',
    ...(program === null
      ? []
      : [
          `  a small program takes ${program.whole.toFixed(1)} µs, ${program.busy.toFixed(1)} µs of them in JavaScript`,
        ]),
    ...(read === null ? [] : [`  a number is read in ${read.toFixed(2)} ms`]),
    ...(bytesPerSecond === null ? [] : [`  memory: ${(bytesPerSecond / 1e9).toFixed(1)} GB/s in a sum`]),
    ...products.map(
      ({ precision, size, forward, training }) =>
        `  product of ${String(size).padStart(4)}², ${precision}: ${teraflops(forward)} TFLOP/s, with its gradients ${teraflops(training)}`,
    ),
    ...steps.map(
      ({ model, precision, tokens, seconds, tokensPerSecond, bytes }) =>
        `  training step of ${model.padEnd(4)}, ${precision}, ${tokens} target tokens: ${(1000 * seconds).toFixed(0)} ms, ${Math.round(tokensPerSecond).toLocaleString('en')} tokens/s${bytes === null ? '' : `, ${formatBytes(bytes)}`}`,
    ),
  ];
  return left.length === 0 ? lines : [...lines, '  left out:', ...left.map((what) => `    ${what}`)];
}

const teraflops = (value: number): string => value.toPrecision(3);
