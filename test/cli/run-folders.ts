import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after } from 'node:test';
import { writeFileAtomic } from '../../src/common/files.js';
import { formatConfig } from '../../src/config/format.js';
import { loadConfig } from '../../src/config/load.js';
import { writeSafetensors } from '../../src/formats/safetensors.js';
import { formatStateFile, INITIAL_STATE, type TrainState } from '../../src/train/state.js';
import { lockRun } from '../../src/workflows/runs/lock.js';

/** A new empty folder, removed after the tests of the file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-runs-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface RunFiles {
  /** Settings over the preset tiny. */
  readonly sets?: readonly string[];
  /** Text of metrics.jsonl; none without it. */
  readonly metrics?: string;
  /** State of the latest checkpoint; none without it. */
  readonly state?: Partial<TrainState>;
  /** Of the last write, in seconds. */
  readonly age?: number;
  /** Who holds its lock: this process, one of another machine, or one that is gone. */
  readonly lock?: 'own' | 'elsewhere' | 'gone';
}

/** Writes a run directory as train leaves one, its weights two vectors and a matrix. @returns the folder */
export function makeRun(
  folder: string,
  { sets = [], metrics, state, age = 3600, lock }: RunFiles = {},
): string {
  const { written } = loadConfig({
    sets: ['preset=tiny', 'data.source-lang=aa', 'data.target-lang=bb', 'data.destdir=x', ...sets],
  });
  mkdirSync(folder, { recursive: true });
  const config = path.join(folder, 'config.yaml');
  writeFileSync(
    config,
    `# The resolved config of this run, written by admin-nmt train.\n${formatConfig(written)}`,
  );
  const changed = [config];
  if (metrics !== undefined) {
    changed.push(path.join(folder, 'metrics.jsonl'));
    writeFileSync(changed[1], metrics);
  }
  if (state !== undefined) writeCheckpoint(folder, { ...INITIAL_STATE, ...state });
  if (lock !== undefined) writeLock(folder, lock);
  const time = Date.now() / 1000 - age;
  for (const file of changed) utimesSync(file, time, time);
  return folder;
}

function writeLock(folder: string, lock: NonNullable<RunFiles['lock']>): void {
  lockRun(folder);
  const file = path.join(folder, 'train.lock');
  const own = JSON.parse(readFileSync(file, 'utf8'));
  const others = { own, elsewhere: { ...own, host: `not-${own.host}` }, gone: { ...own, began: '1' } };
  writeFileSync(file, JSON.stringify(others[lock]));
}

function writeCheckpoint(folder: string, state: TrainState): void {
  const name = `checkpoint_${state.epoch}_${state.updates}`;
  const prefix = 'encoder.layers.0.';
  writeSafetensors(
    path.join(folder, name, 'model.safetensors'),
    new Map([
      [`${prefix}attention_ratio_change`, { shape: [2], data: Float32Array.of(1, 2) }],
      [`${prefix}self_attn.in_proj_weight`, { shape: [1, 2], data: Float32Array.of(3, 4) }],
    ]),
  );
  const origin = { settings: {}, dataHash: 'd', vocabulary: {} };
  writeFileAtomic(path.join(folder, name, 'state.json'), formatStateFile({ origin, lr: 0.001, state }));
  symlinkSync(name, path.join(folder, 'checkpoint_last'), 'dir');
}

/** A line of training in metrics.jsonl. */
export function trainLine(updates: number, loss: number | null, epoch = 1): string {
  const place = { event: 'train', epoch, num_updates: updates, wall: updates };
  return `${JSON.stringify({ ...place, loss, ppl: 2, wps: 100, gnorm: 1, clip: 0, lr: 0.1 })}\n`;
}

/** A validation in metrics.jsonl. */
export function validLine(updates: number, loss: number, epoch = 1): string {
  return `${JSON.stringify({ event: 'valid', epoch, num_updates: updates, wall: updates, loss, ppl: 2, best_loss: 1 })}\n`;
}
