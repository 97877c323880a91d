import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { log } from '../../src/common/log.js';
import { type ProgressOptions, startProgress } from '../../src/common/progress.js';
import { FakeScreen } from './screen.js';

const OPTIONS: ProgressOptions = { label: 'train', total: 1000, unit: 'updates' };
const FIGURES = ['loss 3.210', '51200 tokens/s', 'epoch 3', 'best loss 3.100', 'ppl 9.25', 'lr 0.000500'];

/** Puts a terminal in the place of stderr, and makes time stand still but for `t.mock.timers`. */
function onTerminal(t: TestContext, columns: number): FakeScreen {
  const screen = new FakeScreen(columns);
  const { isTTY, columns: before } = process.stderr;
  const { TERM } = process.env;
  process.env.TERM = 'xterm';
  Object.assign(process.stderr, { isTTY: true });
  Object.defineProperty(process.stderr, 'columns', { get: () => screen.columns, configurable: true });
  t.mock.method(process.stderr, 'write', (text: string) => screen.write(text));
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { tick } = t.mock.timers;
  t.mock.method(t.mock.timers, 'tick', (ms: number) => {
    now += ms;
    tick.call(t.mock.timers, ms);
  });
  t.after(() => {
    Object.assign(process.env, { TERM });
    Object.assign(process.stderr, { isTTY });
    Object.defineProperty(process.stderr, 'columns', { value: before, writable: true, configurable: true });
  });
  return screen;
}

describe('on a terminal', () => {
  test('messages of the work stand above the bar, and what comes after it below', (t) => {
    const screen = onTerminal(t, 80);
    log.info('Model: so large');
    const progress = startProgress(OPTIONS);
    for (let i = 1; i <= 40; i++) {
      progress.update(25 * i, FIGURES);
      t.mock.timers.tick(1000);
      log.info(`validation ${i}`);
    }
    progress.stop();
    log.info('Done');
    assert.deepEqual(screen.prompt(), [
      'Model: so large',
      ...Array.from({ length: 40 }, (_, i) => `validation ${i + 1}`),
      'train ██████████ 100% 1000/1000 · 40s',
      'Done',
      '$ ',
    ]);
  });

  for (const [columns, expected] of [
    [40, 'train █████░░░░░  45% 450/1000'],
    [60, 'train █████░░░░░  45% 450/1000 · ETA 1m13s · loss 3.210'],
    [80, 'train █████░░░░░  45% 450/1000 · ETA 1m13s · loss 3.210 · 51200 tokens/s'],
    [
      120,
      'train ███████████░░░░░░░░░░░░░  45% 450/1000 updates · ETA 1m13s · loss 3.210 · 51200 tokens/s · epoch 3',
    ],
  ] as const) {
    test(`at ${columns} columns what matters least is left out`, (t) => {
      const screen = onTerminal(t, columns);
      const progress = startProgress(OPTIONS);
      progress.update(450, FIGURES);
      t.mock.timers.tick(60_000);
      assert.deepEqual(screen.rows(), [expected]);
      progress.stop();
    });
  }

  test('a figure that just fits is shown, up to the last column but one', (t) => {
    const row = 'train █████░░░░░  45% 450/1000 · ETA 1m13s · loss 3.210';
    const screen = onTerminal(t, row.length + 1);
    const progress = startProgress(OPTIONS);
    progress.update(450, FIGURES);
    t.mock.timers.tick(60_000);
    assert.deepEqual(screen.rows(), [row]);
    screen.columns--;
    t.mock.timers.tick(1000);
    assert.deepEqual(screen.rows(), [row.replace(' · loss 3.210', '').replace('1m13s', '1m15s')]);
    progress.stop();
  });

  test('the end of the process leaves the bar in a line of its own', (t) => {
    const screen = onTerminal(t, 80);
    startProgress(OPTIONS);
    process.listeners('exit').at(-1)!.call(process, 0);
    assert.match(screen.prompt().join('|'), /^train ░+ {3}0% 0\/1000 · 0s\|\$ $/);
  });

  test('two bars one after the other', (t) => {
    const screen = onTerminal(t, 80);
    for (const label of ['one', 'two']) {
      const progress = startProgress({ label, unit: 'pairs' });
      progress.update(7);
      progress.stop();
      progress.stop();
    }
    assert.deepEqual(screen.prompt(), ['one 7 pairs · 0s', 'two 7 pairs · 0s', '$ ']);
  });
});

describe('the time left is that to the first end', () => {
  const after = (t: TestContext, options: Partial<ProgressOptions>): string => {
    const screen = onTerminal(t, 80);
    const progress = startProgress({ ...OPTIONS, ...options });
    t.mock.timers.tick(60_000);
    progress.update(100);
    t.mock.timers.tick(200);
    const [row] = screen.rows();
    progress.stop();
    return row;
  };

  test('of updates', (t) => assert.match(after(t, {}), / 10% 100\/1000 · ETA 9m02s$/));
  test('of time', (t) => {
    assert.match(after(t, { timeLimit: { whole: 120, spent: 0 } }), / 50% 100\/1000 · ETA 1m00s$/);
  });
  test('of time that began before', (t) => {
    assert.match(after(t, { timeLimit: { whole: 240, spent: 120 } }), / 75% 100\/1000 · ETA 1m00s$/);
  });
  test('of updates, before the time is over', (t) => {
    assert.match(after(t, { timeLimit: { whole: 6000, spent: 0 } }), / 10% 100\/1000 · ETA 9m02s$/);
  });
  test('of updates that are estimated, which are not shown', (t) => {
    assert.match(after(t, { total: () => 500 }), / 20% 100 · ETA 4m01s$/);
  });
  test('of time alone', (t) => {
    assert.match(
      after(t, { total: undefined, timeLimit: { whole: 120, spent: 0 } }),
      / 50% 100 · ETA 1m00s$/,
    );
  });
});

test('without a terminal, progress is plain lines with no control characters, the last state included', (t) => {
  const lines: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => lines.push(text) > 0);
  const progress = startProgress({ label: 'train', total: 4, unit: 'updates', plainEvery: 1e9 });
  progress.update(1, ['loss 3.00']);
  progress.update(2, ['loss 2.00']);
  progress.update(4, ['loss 1.00', 'epoch 1']);
  progress.stop();
  t.mock.restoreAll();
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^train 1\/4 updates · loss 3\.00 · ETA \d+s\n$/);
  assert.match(lines[1], /^train 4\/4 updates · loss 1\.00 · epoch 1 · \d+s\n$/);
});
