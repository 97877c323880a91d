import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ranksCampaign } from './ranks-campaign.js';
import type { Launcher } from './ranks-launcher.js';

/**
 * npm run campaign:ranks -- [--launcher mpirun.openmpi] [--kills 50] [--seed 1] [--updates 60] [--precision float32]
 *
 * Trains a small model in 1, 2 and 4 processes by MPI and compares the bits; then kills one rank (kill -9) at random
 * moments, goes on with another number of ranks, and compares what it comes to with a run that nobody disturbed.
 */
const { values } = parseArgs({
  options: {
    launcher: { type: 'string', default: 'mpirun.openmpi' },
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    updates: { type: 'string', default: '60' },
    precision: { type: 'string', default: 'float32' },
  },
});
const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-ranks-'));
try {
  const found = await ranksCampaign(folder, {
    launcher: values.launcher as Launcher,
    sizes: [2, 4],
    kills: Number(values.kills),
    seed: Number(values.seed),
    updates: Number(values.updates),
    flags: ['--precision', values.precision],
    onRun: (line) => process.stderr.write(`${line}\n`),
  });
  console.log(JSON.stringify(found, null, 1));
  process.exitCode = found.differences.length === 0 ? 0 : 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
