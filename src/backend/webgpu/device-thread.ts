import { setImmediate } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { openDevice, Unavailable } from './adapter.js';
import { type GpuBuffer, type GpuDevice, MAP_READ, USAGE } from './api.js';
import { BatchRunner } from './batch-runner.js';
import {
  CLOSING,
  type DeviceStart,
  FAILED,
  type FromDevice,
  Outcome,
  READ_START,
  type ToDevice,
} from './protocol.js';

/*
 * The thread that has the device. WebGPU tells what was read in promises alone: from a thread of its own the program can
 * also wait for it, as tfjs allows, and commands are encoded while the program goes on.
 */

const { port, options, wanted, state } = workerData as DeviceStart;
const tell = (message: FromDevice): void => port.postMessage(message);

class DeviceThread {
  private readonly device: GpuDevice;
  private readonly runner: BatchRunner;
  /** What was submitted is free of errors; rejected where it is not. */
  private sound: Promise<unknown> = Promise.resolve();
  private failure: string | null = null;
  private closing = false;
  private readonly lost: Promise<void>;
  private readonly reading = new Map<number, SharedArrayBuffer>();
  /** Buffers to read through that nothing is read through now, by their size. */
  private readonly idle: { size: number; buffer: GpuBuffer }[] = [];

  constructor(device: GpuDevice) {
    this.device = device;
    this.runner = new BatchRunner(device);
    device.addEventListener('uncapturederror', ({ error }) => this.fail(error.message, isOutOfMemory(error)));
    this.lost = device.lost.then((info) => {
      if (!this.closing) this.fail(`the device was lost (${info.reason}): ${info.message}`);
    });
  }

  take(message: ToDevice): void {
    try {
      if (message.kind === 'batch') this.inScope(() => this.runner.run(message.batch));
      else if (message.kind === 'lose') this.device.destroy();
      else if (message.kind === 'read') void this.read(message);
      else void this.close(message.closed);
    } catch (error) {
      this.fail(String((error as Error).message));
    }
  }

  /** Ends once the binding has told all that it will: what it told a thread that ends would bring the process down. */
  private async close(closed: SharedArrayBuffer): Promise<void> {
    this.closing = true;
    this.device.destroy();
    await Promise.allSettled([this.lost, this.sound]);
    await setImmediate();
    finish(closed, Outcome.done);
    port.close();
  }

  private inScope(work: () => void): void {
    if (this.failure !== null || Atomics.load(new Int32Array(state), 0) === CLOSING) return;
    const { device } = this;
    // The innermost is heard of first: what got no memory is not valid either.
    const filters = ['validation', 'internal', 'out-of-memory'] as const;
    for (const filter of filters) device.pushErrorScope(filter);
    work();
    for (const _ of filters) {
      const found = device.popErrorScope().then((error) => {
        if (error !== null) this.fail(error.message, isOutOfMemory(error));
      });
      const before = this.sound;
      this.sound = found.then(() => before);
    }
  }

  private async read({ ticket, buffer, bytes, target }: Extract<ToDevice, { kind: 'read' }>): Promise<void> {
    this.reading.set(ticket, target);
    try {
      if (this.failure !== null) throw new Error(this.failure);
      const staging = this.stagingOf(bytes);
      this.inScope(() => {
        const encoder = this.device.createCommandEncoder();
        const from = this.runner.partOf(buffer);
        encoder.copyBufferToBuffer(from.buffer, from.offset, staging.buffer, 0, bytes);
        this.device.queue.submit([encoder.finish()]);
      });
      const { sound } = this;
      await staging.buffer.mapAsync(MAP_READ, 0, bytes);
      await sound;
      new Uint8Array(target, READ_START, bytes).set(new Uint8Array(staging.buffer.getMappedRange(0, bytes)));
      staging.buffer.unmap();
      this.idle.push(staging);
      if (this.failure === null) this.answer(ticket, Outcome.done);
    } catch (error) {
      this.fail((error as Error).message);
    }
  }

  private stagingOf(bytes: number): { size: number; buffer: GpuBuffer } {
    const place = this.idle.findIndex(({ size }) => size >= bytes && size <= 4 * bytes + 4096);
    if (place !== -1) return this.idle.splice(place, 1)[0];
    while (this.idle.length > 3) this.idle.shift()!.buffer.destroy();
    const size = Math.max(4096, bytes);
    return { size, buffer: this.device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget }) };
  }

  private answer(ticket: number, outcome: number): void {
    finish(this.reading.get(ticket)!, outcome);
    this.reading.delete(ticket);
    tell({ kind: 'read', ticket });
  }

  /** Nothing is computed any more: what is waited for fails. */
  private fail(message: string, outOfMemory = false): void {
    if (this.failure === null) {
      this.failure = message.trim();
      tell({ kind: 'failed', message: this.failure, outOfMemory });
      Atomics.store(new Int32Array(state), 0, FAILED);
    }
    for (const ticket of this.reading.keys()) this.answer(ticket, Outcome.failed);
  }
}

/** Of a batch, or of a buffer to read through. */
function isOutOfMemory(error: object): boolean {
  return error.constructor.name === 'GPUOutOfMemoryError';
}

function finish(target: SharedArrayBuffer, outcome: number): void {
  const place = new Int32Array(target, 0, 1);
  Atomics.store(place, 0, outcome);
  Atomics.notify(place, 0);
}

try {
  const { device, facts } = await openDevice(wanted, options);
  const thread = new DeviceThread(device);
  port.on('message', (message: ToDevice) => thread.take(message));
  tell({ kind: 'opened', facts });
} catch (error) {
  const why =
    error instanceof Unavailable
      ? error.why
      : { missing: (error as Error).message.split('\n')[0], install: 'Look at the driver of the card.' };
  tell({ kind: 'missing', why });
  port.close();
}
