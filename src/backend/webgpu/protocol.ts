/* What the program and the thread of the device say to each other. */

import type { MessagePort } from 'node:worker_threads';

/** What the thread is started with. */
export interface DeviceStart {
  port: MessagePort;
  /** For Dawn. */
  options: readonly string[];
  /** Part of the name of the adapter that is wanted; null for the fastest. */
  wanted: string | null;
  /** Of one Int32: FAILED once the device computes no more, CLOSING once nobody wants it to. */
  state: SharedArrayBuffer;
}

export const FAILED = 1;
export const CLOSING = 2;

/** A device that is there. */
export interface DeviceFacts {
  /** Of the adapter, for people. */
  name: string;
  /** Whether it computes on the processor. */
  software: boolean;
  /** Whether its programs may have floats of half precision. */
  half: boolean;
  /** What its matrix units multiply, where it has any that are used. */
  matrices: MatrixUnit | null;
  limits: {
    /** Bytes that a program reads or writes of one buffer, and of a buffer. */
    binding: number;
    buffer: number;
    groups: number;
    /** Bytes that the invocations of a group may share. */
    shared: number;
  };
  card: CardFacts;
}

/** Matrices that a subgroup multiplies at once, m × k by k × n, of float16 with sums in float32. */
export interface MatrixUnit {
  m: number;
  n: number;
  k: number;
  /** Most invocations of a subgroup. */
  subgroup: number;
}

/** What a card and its driver say of themselves. */
export interface CardFacts {
  /** Version of the package. */
  package: string;
  vendor: string;
  architecture: string;
  device: string;
  /** The driver, or what else it likes to tell. */
  description: string;
  /** Least and most invocations of a subgroup. */
  subgroups: readonly [number, number];
  features: readonly string[];
  /** Those of them that are used. */
  used: readonly string[];
  /** Matrices that a subgroup multiplies at once, such as `f16 → f32, 16 × 16 × 16`, whether they are used or not. */
  units: readonly string[];
  /** By name: what the card has, and what was got. */
  limits: Readonly<Record<string, { has: number; got: number }>>;
}

/** Why there is no device, and what to do about it. */
export interface NoDevice {
  missing: string;
  install: string;
}

/** How a buffer is bound: to be read, or to be written and read. */
export type Access = 'read' | 'write';

/** A program for the device. */
export interface PipelineSource {
  id: number;
  code: string;
  /** Of group 0, by binding. */
  access: readonly Access[];
  /** Whether it reads the arena of indices. */
  indices: boolean;
}

/**
 * What is to be done, as numbers one after another. Written data lies in buffers before any of the dispatches of the
 * batch, so that they may be written only where no dispatch before it in the batch uses the buffer.
 */
export const Command = {
  /** id, bytes */
  create: 0,
  /** id */
  destroy: 1,
  /** id, start in the written data, bytes */
  write: 2,
  /** id, id of the buffer of which it is a part, where it starts there, bytes */
  view: 4,
  /** id from which, id to which, bytes */
  copy: 5,
  /** program, start in the uniforms, x, y, z, number of buffers, ids */
  dispatch: 3,
} as const;

export interface Batch {
  /** Numbers of bytes do not fit into integers of 32 bits. */
  commands: Float64Array<ArrayBuffer>;
  written: Uint8Array<ArrayBuffer>;
  uniforms: Uint8Array<ArrayBuffer>;
  indices: Int32Array<ArrayBuffer>;
  pipelines: readonly PipelineSource[];
}

/** Where the thread puts what it has read: the first Int32 is its outcome, the data starts at READ_START. */
export const Outcome = { waiting: 0, done: 1, failed: 2 } as const;
export const READ_START = 16;

export type ToDevice =
  | { kind: 'batch'; batch: Batch }
  | { kind: 'read'; ticket: number; buffer: number; bytes: number; target: SharedArrayBuffer }
  | { kind: 'lose' }
  | { kind: 'close'; closed: SharedArrayBuffer };

export type FromDevice =
  | { kind: 'opened'; facts: DeviceFacts }
  | { kind: 'missing'; why: NoDevice }
  | { kind: 'read'; ticket: number }
  | { kind: 'failed'; message: string; outOfMemory: boolean };

/** Where a part of a buffer may start, in bytes: the alignment that every device has. */
export const VIEW_STEP = 256;
/** Bytes between the uniforms of two dispatches: the alignment that every device has. */
export const UNIFORM_STRIDE = 256;
/** Most dispatches of a batch. */
export const BATCH_DISPATCHES = 256;
