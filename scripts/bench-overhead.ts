import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/common/files.js';

/**
 * npm run bench:overhead -- CONFIG... [--updates 200] [--rounds 5] [--set key=value]...
 *
 * What looking after a training costs: runs of a config with and without doctor, TensorBoard, checkpoints and validation, in
 * turns, and the time of each as a ratio to the run without any of them in the same round.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    updates: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

const BARE = [
  'doctor=false',
  'tensorboard=false',
  'validate-interval=0',
  'save-interval=0',
  'validate-interval-updates=0',
  'save-interval-updates=0',
  'patience=null',
];
const VARIANTS: Record<string, string[]> = {
  bare: [],
  doctor: ['doctor=true'],
  tensorboard: ['tensorboard=true'],
  'doctor + tensorboard': ['doctor=true', 'tensorboard=true'],
  'checkpoint every 100': ['save-interval-updates=100'],
  'validation every 100': ['validate-interval-updates=100'],
  everything: [
    'doctor=true',
    'tensorboard=true',
    'save-interval-updates=100',
    'validate-interval-updates=100',
  ],
};

/** Seconds of a run. */
interface Times {
  /** Of its updates alone. */
  updates: number;
  /** From its first line of the metrics to its last. */
  whole: number;
}

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-overhead-'));
try {
  const times: Record<string, Times[]> = Object.fromEntries(Object.keys(VARIANTS).map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, settings] of Object.entries(VARIANTS)) {
      times[name].push(run(settings));
      process.stderr.write(`round ${round + 1}, ${name}: ${times[name].at(-1)!.whole.toFixed(1)} s\n`);
    }
  }
  for (const [name, found] of Object.entries(times)) {
    const ratio = (key: keyof Times): string => {
      const ratios = found.map((time, i) => time[key] / times.bare[i][key]).sort((a, b) => a - b);
      return `${median(ratios).toFixed(4)} (${ratios[0].toFixed(4)}–${ratios[ratios.length - 1].toFixed(4)})`;
    };
    console.log(`${name.padEnd(22)} updates × ${ratio('updates')}, whole × ${ratio('whole')}`);
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

function run(settings: readonly string[]): Times {
  const place = path.join(folder, 'run');
  fs.rmSync(place, { recursive: true, force: true });
  const own = [...BARE, ...settings, `max-update=${values.updates}`, 'max-epoch=null', 'log-interval=10'];
  const sets = [...own.map((setting) => `train.${setting}`), ...values.set];
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      path.join(packageRoot(), 'bin/admin-nmt.js'),
      ...['train', ...positionals, '--save-dir', place, '--destdir', path.join(folder, 'data'), '--quiet'],
      ...sets.flatMap((setting) => ['--set', setting]),
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  const lines = fs
    .readFileSync(path.join(place, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; ups: number; wall: number });
  const train = lines.filter(({ event }) => event === 'train').slice(1); // the first is slower
  const updates = train.reduce((sum, { ups }) => sum + 10 / ups, 0);
  return { updates, whole: lines.at(-1)!.wall - lines[0].wall };
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)];
}
