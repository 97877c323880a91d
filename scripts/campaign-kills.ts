import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type Campaign, killCampaign } from './kill-campaign.js';

/**
 * npm run campaign:kills -- [--kills 200] [--seed 1] [--threads 2] [--bf16]
 *
 * Trains a small model that is killed (kill -9) at random moments and resumed until it ends, over and over, and compares
 * what it comes to with a run that nobody disturbed.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    bf16: { type: 'boolean', default: false },
  },
});
const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-kills-'));
try {
  const found: Campaign = await killCampaign(folder, {
    kills: Number(values.kills),
    seed: Number(values.seed),
    threads: Number(values.threads),
    flags: values.bf16 ? ['--bf16'] : [],
    onRun: (line) => process.stderr.write(`${line}\n`),
  });
  console.log(JSON.stringify(found, null, 1));
  process.exitCode = found.differences.length === 0 ? 0 : 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
