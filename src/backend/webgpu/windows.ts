import { tf } from '../../ops/tf.js';
import type { WebGpuBackend } from './backend.js';
import { VIEW_STEP } from './protocol.js';
import type { Run } from './slabs.js';

/** Rows of a table that a program can take at once. */
export interface Window {
  buffer: number;
  /** The first of them. */
  first: number;
  rows: number;
}

/**
 * A table [V, d] in as many parts as it takes: a program can bind only so much of a buffer, on weak devices 128 MiB.
 * Each but the last has a multiple of 64 rows, so that also parts of what has a number for each row may be bound.
 */
export function windowsOf(backend: WebGpuBackend, table: tf.TensorInfo): Window[] {
  const [rows, width] = table.shape;
  const step = VIEW_STEP / 4;
  const { binding } = backend.device.facts.limits;
  const most = Math.max(1, Math.floor(binding / (4 * width * step))) * step;
  const windows: Window[] = [];
  for (let first = 0; first < rows || first === 0; first += most) {
    const size = Math.min(most, rows - first);
    windows.push({ buffer: backend.lists.window(table, first * width, size * width), first, rows: size });
  }
  return windows;
}

/** For each element: tensors of one shape, floats of either width, cut into runs that a program can take. */
export const elementRuns = (backend: WebGpuBackend, ...tensors: tf.TensorInfo[]): Run[] =>
  tf.util.sizeFromShape(tensors[0].shape) === 0
    ? []
    : backend.lists.runs(
        tensors.map((tensor) => [tensor]),
        true,
      );
