import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TerminalLine } from '../../src/common/terminal-line.js';
import { FakeScreen } from './screen.js';

function onScreen(columns: number): { screen: FakeScreen; line: TerminalLine } {
  const screen = new FakeScreen(columns);
  return { screen, line: new TerminalLine(screen) };
}

describe('the last line of a terminal', () => {
  test('messages stand above it, in their order, and the prompt below', () => {
    const { screen, line } = onScreen(20);
    line.print('before');
    line.show('at 1 of 3, with more');
    line.print('first');
    line.show('at 2 of 3');
    line.print(`second, ${'which is long '.repeat(3)}`);
    line.show('at 3 of 3');
    line.finish();
    assert.deepEqual(screen.prompt(), [
      ...['before', 'first', 'second, which is lon', 'g which is long whic', 'h is long ', 'at 3 of 3', '$ '],
    ]);
  });

  test('a window that becomes narrower leaves nothing of it behind', () => {
    const { screen, line } = onScreen(40);
    line.print('before');
    line.show('x'.repeat(100));
    assert.deepEqual(screen.rows(), ['before', 'x'.repeat(39)]);
    screen.resize(15);
    assert.equal(screen.rows().length, 4);
    line.show('y'.repeat(100));
    assert.deepEqual(screen.rows(), ['before', 'y'.repeat(14)]);
    screen.resize(60);
    line.print('after');
    assert.deepEqual(screen.rows(), ['before', 'after', 'y'.repeat(14)]);
  });

  test('without a line, messages are plain text', () => {
    const written: string[] = [];
    const line = new TerminalLine({ write: (text) => written.push(text) });
    line.print('a');
    line.finish();
    assert.deepEqual(written, ['a\n']);
  });

  test('any order of messages, lines and window sizes: every message whole, and one line', () => {
    const step = fc.oneof(
      fc.record({ show: fc.stringMatching(/^[a-z ]{1,90}$/) }),
      fc.record({ print: fc.stringMatching(/^[A-Z]{1,90}$/) }),
      fc.record({ columns: fc.integer({ min: 5, max: 100 }), told: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { screen, line } = onScreen(80);
        const printed: string[] = [];
        for (const step of steps) {
          if ('columns' in step) screen.resize(step.columns, step.told);
          else if ('show' in step) line.show(step.show);
          else line.print(printed[printed.push(step.print) - 1]);
        }
        line.show('last');
        line.finish();
        screen.resize(1000);
        assert.deepEqual(screen.prompt(), [...printed, 'last', '$ ']);
      }),
    );
  });
});
