import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { faultCampaign } from './fault-campaign.js';

/**
 * npm run campaign:faults -- [--faults 50] [--seed 1] [--threads 2]
 *
 * Trains a small model on a disk that is full, fails, writes less than asked for, or loses what it was given, at random
 * moments; then goes on without faults, and compares the end with that of a run that nobody disturbed.
 */
const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
  },
});
const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-faults-'));
try {
  const found = await faultCampaign(folder, {
    faults: Number(values.faults),
    seed: Number(values.seed),
    threads: Number(values.threads),
    onRun: (line) => process.stderr.write(`${line}\n`),
  });
  console.log(JSON.stringify(found, null, 1));
  process.exitCode = found.problems.length === 0 ? 0 : 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
