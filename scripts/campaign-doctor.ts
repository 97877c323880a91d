import * as fs from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { initBackend } from '../src/backend/init.js';
import { log } from '../src/common/log.js';
import { Purpose, RandomStream } from '../src/common/rng.js';
import { trainPatient } from './doctor-patient.js';
import { healthy, quickTrials, slowTrials } from './doctor-trials.js';

/**
 * npm run campaign:doctor -- [--seeds 10] [--seed 1] [--threads 2]
 *
 * Trains small models with faults that are put into them, and asks whether the doctor names each rightly; and as many
 * healthy ones, of which it has to say nothing.
 */

export interface DoctorCampaign {
  seed: number;
  /** Runs of each kind. */
  trials: Record<string, number>;
  /** What was named wrongly, and false alarms. */
  mistakes: string[];
}

/** Runs so many trials of each kind of fault, and as many healthy ones; in the long form also what takes many updates. */
export async function doctorCampaign({
  seeds,
  seed,
  long,
  onTrial,
}: {
  seeds: number;
  seed: number;
  long: boolean;
  onTrial?: (name: string, mistake: string | undefined) => void;
}): Promise<DoctorCampaign> {
  const found: DoctorCampaign = { seed, trials: {}, mistakes: [] };
  for (let i = 0; i < seeds; i++) {
    const random = new RandomStream({ seed, step: i, purpose: Purpose.test });
    const quick = quickTrials(random);
    for (const trial of [...quick, healthy(random, long ? 800 : 350), ...(long ? slowTrials(i) : [])]) {
      const mistake = trial.mistake(await trainPatient(trial.patient, seed + i));
      onTrial?.(trial.name, mistake);
      found.trials[trial.name] = (found.trials[trial.name] ?? 0) + 1;
      if (mistake !== undefined) found.mistakes.push(`${trial.name}, seed ${seed + i}: ${mistake}`);
    }
  }
  return found;
}

if (
  process.argv[1] !== undefined &&
  import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href
) {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
    },
  });
  log.setQuiet(true);
  await initBackend('auto', Number(values.threads));
  const [seeds, seed] = [Number(values.seeds), Number(values.seed)];
  const onTrial = (name: string, mistake = 'right'): void => {
    process.stderr.write(`${name}: ${mistake}\n`);
  };
  const found = await doctorCampaign({ seeds, seed, long: true, onTrial });
  console.log(JSON.stringify(found, null, 1));
  process.exitCode = found.mistakes.length === 0 ? 0 : 1;
}
