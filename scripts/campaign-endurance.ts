import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/common/files.js';
import { writeTinyTask } from './tiny-task.js';

/**
 * npm run campaign:endurance -- [--updates 20000] [--validate 50] [--backend webgpu]
 *
 * Trains a tiny model for long and watches what the process holds (Linux): resident memory of the last quarter of the time
 * against that of the second, and open files.
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
  const quarter = (i: number): number =>
    median(memory.slice((i * memory.length) / 4, ((i + 1) * memory.length) / 4));
  const growth = quarter(3) / quarter(1) - 1;
  const open = files.slice(files.length / 4);
  const found = {
    updates: Number(values.updates),
    ...{ validate: Number(values.validate), backend: values.backend },
    looks: memory.length,
    megabytes: [0, 1, 2, 3].map((i) => Math.round(quarter(i) / 1024)),
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

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
