import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { explainFileError } from '../common/errors.js';
import { creating, makeFolder } from '../common/folders.js';
import { encodeEvent, FILE_VERSION, type TensorboardEvent } from '../formats/tfevents.js';
import { PatientFile } from './patient-file.js';

/** The folder in a run directory to show to `tensorboard --logdir`. */
export const EVENTS_FOLDER = 'tensorboard';

const EVENT_FILE = /^events\.out\.tfevents\.(\d+)\./;

/** The metrics of a run for TensorBoard: a file for each start, beside those of the starts before. */
export class EventLog {
  private readonly events: PatientFile;

  /**
   * Begins a file. TensorBoard drops what the files before hold of `firstStep` and later ones: training that goes
   * on from a checkpoint does those again.
   *
   * @throws UserError where it cannot be written
   */
  constructor(folder: string, firstStep: number) {
    const file = path.join(folder, nextName(folder));
    try {
      makeFolder(folder);
      creating(file, () => fs.writeFileSync(file, '', { flag: 'wx' }));
    } catch (error) {
      throw explainFileError(error, folder);
    }
    this.events = new PatientFile(file, 'Events for TensorBoard');
    this.append({ step: firstStep, fileVersion: FILE_VERSION });
    this.append({ step: firstStep, start: true });
  }

  /** Writes values by tag; where the disk refuses them, they wait for the next ones. */
  write(step: number, scalars: ReadonlyMap<string, number>): void {
    this.append({ step, scalars });
  }

  private append(event: Omit<TensorboardEvent, 'wallTime'>): void {
    this.events.add(encodeEvent({ ...event, wallTime: Date.now() / 1000 }));
  }
}

/** Removes the event files of a run. */
export function removeEventFiles(runDirectory: string): void {
  const folder = path.join(runDirectory, EVENTS_FOLDER);
  for (const name of eventFiles(folder)) fs.rmSync(path.join(folder, name), { force: true });
}

/**
 * `events.out.tfevents.<seconds since 1970>.<host>.<pid>`, later than every one in the folder: TensorBoard reads
 * files in the order of their names, whatever the clock did.
 */
function nextName(folder: string): string {
  const times = eventFiles(folder).map((name) => Number(EVENT_FILE.exec(name)![1]));
  const time = Math.max(Math.floor(Date.now() / 1000), ...times.map((earlier) => earlier + 1));
  return `events.out.tfevents.${String(time).padStart(10, '0')}.${os.hostname()}.${process.pid}`;
}

function eventFiles(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).filter((name) => EVENT_FILE.test(name));
}
