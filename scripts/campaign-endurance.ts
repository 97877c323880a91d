import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/common/files.js';
import { METRICS_FILE } from '../src/train/metrics-log.js';
import { writeTinyTask } from './tiny-task.js';

/**
 * npm run campaign:endurance -- [--updates 20000] [--validate 50] [--backend webgpu]
 *
 * Trains a tiny model for long on batches of many shapes and watches what it holds (Linux): resident memory of the last
 * quarter of the time against that of the second, on a graphics card also its memory, by the metrics, and open files.
 */
const { values } = parseArgs({
  options: {
    updates: { type: 'string', default: '20000' },
    /** Updates between two validations and checkpoints; 0 has none. */
    validate: { type: 'string', default: '0' },
    backend: { type: 'string', default: 'auto' },
  },
});
/** Milliseconds between two looks. */
const EVERY = 250;

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-endurance-'));
try {
  writeTinyTask(folder);
  const { code, memory, files } = await watch(folder, values.updates, values.validate, values.backend);
  const resident = quarters(memory);
  const card = quarters(ofCard(folder));
  const growth = Math.max(growthOf(resident), card.length > 0 ? growthOf(card) : 0);
  const open = files.slice(files.length / 4);
  const found = {
    updates: Number(values.updates),
    ...{ validate: Number(values.validate), backend: values.backend },
    looks: memory.length,
    megabytes: resident.map((kilobytes) => Math.round(kilobytes / 1024)),
    ...(card.length > 0 && { card_mb: card }),
    growth: Number(growth.toFixed(4)),
    files: [Math.min(...open), Math.max(...open)],
  };
  console.log(JSON.stringify(found));
  process.exitCode = code === 0 && growth < 0.02 ? 0 : 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

/** Kilobytes of resident memory and numbers of open files, at every look. */
async function watch(
  cwd: string,
  updates: string,
  validate: string,
  backend: string,
): Promise<{ code: number | null; memory: number[]; files: number[] }> {
  const program = path.join(packageRoot(), 'bin/admin-nmt.js');
  const intervals = [
    '--validate-interval',
    '0',
    '--validate-interval-updates',
    validate,
    '--average-last',
    '0',
    '--save-interval',
    '0',
  ];
  const args = [
    'train',
    'config.yaml',
    '--backend',
    backend,
    '--max-update',
    updates,
    '--save-interval-updates',
    '0',
    ...intervals,
    '--quiet',
  ];
  const child = spawn(process.execPath, [program, ...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  const memory: number[] = [];
  const files: number[] = [];
  const timer = setInterval(() => {
    try {
      const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
      memory.push(Number(/VmRSS:\s+(\d+)/.exec(status)![1]));
      files.push(fs.readdirSync(`/proc/${child.pid}/fd`).length);
    } catch {
      // it has ended
    }
  }, EVERY);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  return { code, memory, files };
}

/** Megabytes of the graphics card at every line of the metrics; none where there is no card. */
function ofCard(folder: string): number[] {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const metrics = files.find((file) => path.basename(file) === METRICS_FILE)!;
  const lines = fs.readFileSync(path.join(folder, metrics), 'utf8').trim().split('\n');
  return lines.flatMap((line) => (JSON.parse(line) as { card_mb?: number }).card_mb ?? []);
}

/** The median of each quarter of the looks; none of none. */
function quarters(looks: readonly number[]): number[] {
  if (looks.length === 0) return [];
  return [0, 1, 2, 3].map((i) => median(looks.slice((i * looks.length) / 4, ((i + 1) * looks.length) / 4)));
}

/** What the last quarter is more than the second, as a share. */
function growthOf([, second, , last]: readonly number[]): number {
  return last / second - 1;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
