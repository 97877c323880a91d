import process from 'node:process';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { DeviceError, DeviceMemoryError } from '../../common/errors.js';
import {
  type Batch,
  CLOSING,
  type DeviceFacts,
  type DeviceStart,
  FAILED,
  type FromDevice,
  type NoDevice,
  Outcome,
  READ_START,
  type ToDevice,
} from './protocol.js';

/** Milliseconds to wait for the thread before looking whether it is still well. */
const PATIENCE = 1000;

/** Milliseconds for the thread to end what it is at, which may be the compilation of a program. */
const LAST_PATIENCE = 20_000;

/** A thread that has opened a device. */
interface Opened {
  facts: DeviceFacts;
  port: MessagePort;
  state: Int32Array;
}

/** What `start` needs: the adapter that is wanted, and options for Dawn. */
type Choice = Pick<DeviceStart, 'wanted' | 'options'>;

/** The device, as the program sees it: another thread does what is sent, in turn. */
export class Device {
  readonly facts: DeviceFacts;
  private readonly choice: Choice;
  private port: MessagePort;
  private state: Int32Array;
  private failure: Extract<FromDevice, { kind: 'failed' }> | null = null;
  private tickets = 0;
  private readonly awaited = new Map<number, () => void>();

  private constructor(choice: Choice, opened: Opened) {
    this.choice = choice;
    this.facts = opened.facts;
    [this.port, this.state] = [opened.port, opened.state];
    this.listen();
    process.once('exit', () => this.close());
  }

  /**
   * Starts the thread and opens an adapter.
   *
   * @param wanted number of the adapter, or part of its name; null for the fastest that is no software
   * @param options for Dawn
   */
  static async open(wanted: string | null, options: readonly string[] = []): Promise<Device | NoDevice> {
    const choice = { wanted, options };
    const opened = await start(choice);
    return 'missing' in opened ? opened : new Device(choice, opened);
  }

  /** Lets go of the device, with all that it holds, and opens it again. */
  async reopen(): Promise<void> {
    this.close();
    this.port.close();
    const opened = await start(this.choice);
    if ('missing' in opened)
      throw new DeviceError({ problem: opened.missing, where: 'backend', hint: opened.install });
    [this.port, this.state, this.failure] = [opened.port, opened.state, null];
    this.listen();
  }

  private listen(): void {
    this.port.on('message', (message: FromDevice) => this.hear(message));
    this.port.unref();
  }

  /** @throws DeviceError once the device has failed, as every other use of it does */
  check(): void {
    if (Atomics.load(this.state, 0) === FAILED) this.hearAll();
    if (this.failure === null) return;
    const { message, outOfMemory } = this.failure;
    const Kind = outOfMemory ? DeviceMemoryError : DeviceError;
    throw new Kind({
      problem: `the graphics card ${this.facts.name} failed: ${message}`,
      where: 'backend',
      hint: 'The same command goes on from the last checkpoint. Look at the driver and at the memory of the card, or use --backend native.',
    });
  }

  run(batch: Batch): void {
    this.check();
    const { commands, written, uniforms, indices } = batch;
    this.send(
      { kind: 'batch', batch },
      [commands, written, uniforms, indices].map(({ buffer }) => buffer),
    );
  }

  /** The first bytes of a buffer, after all that was sent before. */
  async read(buffer: number, bytes: number): Promise<ArrayBuffer> {
    this.check();
    const { ticket, target } = this.ask(buffer, bytes);
    if (this.awaited.size === 0) this.port.ref();
    await new Promise<void>((resolve) => this.awaited.set(ticket, resolve));
    if (this.awaited.size === 0) this.port.unref();
    return this.taken(target, bytes);
  }

  /** The same, waited for. */
  readSync(buffer: number, bytes: number): ArrayBuffer {
    this.check();
    const { target } = this.ask(buffer, bytes);
    const outcome = new Int32Array(target, 0, 1);
    while (Atomics.load(outcome, 0) === Outcome.waiting) Atomics.wait(outcome, 0, Outcome.waiting, PATIENCE);
    return this.taken(target, bytes);
  }

  /** Loses the device, as a driver may: for tests. */
  lose(): void {
    this.send({ kind: 'lose' });
  }

  private ask(buffer: number, bytes: number): { ticket: number; target: SharedArrayBuffer } {
    const ticket = this.tickets++;
    const target = new SharedArrayBuffer(READ_START + bytes);
    this.send({ kind: 'read', ticket, buffer, bytes, target });
    return { ticket, target };
  }

  private taken(target: SharedArrayBuffer, bytes: number): ArrayBuffer {
    if (Atomics.load(new Int32Array(target, 0, 1), 0) === Outcome.failed) {
      this.hearAll();
      this.check();
    }
    const own = new ArrayBuffer(bytes);
    new Uint8Array(own).set(new Uint8Array(target, READ_START, bytes));
    return own;
  }

  private send(message: ToDevice, transfer: readonly ArrayBuffer[] = []): void {
    this.port.postMessage(message, transfer);
  }

  private hearAll(): void {
    for (
      let next = receiveMessageOnPort(this.port);
      next !== undefined;
      next = receiveMessageOnPort(this.port)
    )
      this.hear(next.message);
  }

  private hear(message: FromDevice): void {
    if (message.kind === 'failed') this.failure ??= message;
    else if (message.kind === 'read') {
      this.awaited.get(message.ticket)?.();
      this.awaited.delete(message.ticket);
    }
  }

  /** Lets go of the device before the process ends: drivers do not like to be left. */
  private close(): void {
    Atomics.store(this.state, 0, CLOSING);
    const closed = new SharedArrayBuffer(4);
    this.send({ kind: 'close', closed });
    Atomics.wait(new Int32Array(closed), 0, Outcome.waiting, LAST_PATIENCE);
  }
}

async function start(choice: Choice): Promise<Opened | NoDevice> {
  const { port1: port, port2 } = new MessageChannel();
  const state = new SharedArrayBuffer(4);
  const workerData: DeviceStart = { ...choice, port: port2, state };
  const worker = new Worker(new URL('./device-thread.js', import.meta.url), {
    workerData,
    transferList: [port2],
  });
  const answer = await new Promise<FromDevice>((resolve, reject) => {
    port.once('message', resolve);
    worker.once('error', reject);
  });
  worker.unref();
  if (answer.kind === 'opened') return { facts: answer.facts, port, state: new Int32Array(state) };
  port.close();
  if (answer.kind === 'missing') return answer.why;
  throw new Error(`expected a device, found ${answer.kind}`);
}
