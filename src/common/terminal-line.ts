import process from 'node:process';

/** What is needed of a stream to write to. */
export interface Screen {
  write(text: string): unknown;
  /** Columns of the terminal. */
  readonly columns?: number;
}

/** To the start of the line; all from there on is cleared, the rows too that a narrower window has wrapped it into. */
const CLEAR = '\r\u001b[J';

/** Cut off at the edge, not wrapped: the window may be narrower than this process knows by now. */
const unwrapped = (text: string): string => `\u001b[?7l${text}\u001b[?7h`;

/**
 * The last line of a terminal, which is written again and again, with messages above it.
 *
 * The cursor rests at its start. So there is nothing to save and to restore (a place that was saved is another one
 * once the screen has scrolled), nothing stays hidden or switched off where the process is killed (each write leaves
 * the terminal as it was), and where a narrower window wraps the line, the cursor is on the first of its rows.
 */
export class TerminalLine {
  private readonly screen: Screen;
  private text = '';

  constructor(screen: Screen) {
    this.screen = screen;
  }

  /** Columns that a line may take: in the last one terminals differ in where the cursor goes. */
  get width(): number {
    return (this.screen.columns || 80) - 1;
  }

  /** Puts a text in place of the one before; what is wider than the terminal is cut off. */
  show(text: string): void {
    this.text = text.slice(0, this.width);
    this.screen.write(`${CLEAR}${unwrapped(this.text)}\r`);
  }

  /** Writes a message; where there is a line, above it. */
  print(message: string): void {
    this.screen.write(this.text === '' ? `${message}\n` : `${CLEAR}${message}\n${unwrapped(this.text)}\r`);
  }

  /** Leaves the text where it stands: what is written from now on comes below. */
  finish(): void {
    if (this.text !== '') this.screen.write('\n');
    this.text = '';
  }
}

/** That of stderr: every message goes through it. */
export const messages = new TerminalLine(process.stderr);
