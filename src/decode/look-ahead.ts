import { setImmediate } from 'node:timers/promises';

/**
 * Reads ahead while others are at work: whoever takes gets all that has come by then, and what is not there yet is waited
 * for only where there is nothing at all. What waits to be taken is bounded.
 */
export class LookAhead<T> {
  private readonly source: AsyncIterator<T>;
  private readonly most: number;
  private waiting: T[] = [];
  private ended = false;
  private failure: { thrown: unknown } | undefined;
  /** Called when something has come, or nothing more will; and when there is room again. */
  private onArrival = (): void => {};
  private onRoom = (): void => {};

  /** @param most items to hold at a time, at least 1 */
  constructor(source: AsyncIterable<T>, most: number) {
    this.source = source[Symbol.asyncIterator]();
    this.most = most;
    void this.read();
  }

  /**
   * All that is there.
   *
   * @param onWait called where nothing is there yet
   * @returns at least one item; none after the last
   * @throws what the source has thrown, once all that came before is taken
   */
  async take(onWait?: () => void): Promise<T[]> {
    await setImmediate(); // what has come by now is read, down to its last item
    if (this.waiting.length === 0 && !this.ended) {
      const arrival = new Promise<void>((resolve) => {
        this.onArrival = resolve;
      });
      onWait?.();
      await arrival;
      await setImmediate(); // what has come together stays together
    }
    const taken = this.waiting;
    this.waiting = [];
    this.onRoom();
    if (taken.length === 0 && this.failure !== undefined) throw this.failure.thrown;
    return taken;
  }

  /** Reads no further. What a source is about to give is not waited for: it may be a long time. */
  close(): void {
    if (this.ended) return;
    this.ended = true;
    this.onRoom();
    this.onArrival();
    void this.source.return?.()?.catch(() => {});
  }

  private async read(): Promise<void> {
    try {
      while (!this.ended) {
        const { done, value } = await this.source.next();
        if (done === true || this.ended) break;
        this.waiting.push(value);
        this.onArrival();
        if (this.waiting.length >= this.most)
          await new Promise<void>((resolve) => {
            this.onRoom = resolve;
          });
      }
    } catch (thrown) {
      this.failure = { thrown };
    }
    this.ended = true;
    this.onArrival();
  }
}
