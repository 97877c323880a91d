/** A line of text as it was written: `columns` of it stand in each row. */
interface LogicalLine {
  text: string;
}

/**
 * As much of a terminal as the program may use: text, line feeds, colours, the start of the line, clearing from there
 * on, and text that does not wrap. Anything else is an error, and so is a write that does not let lines wrap again: it
 * would leave a terminal that has to be mended where the program is killed.
 * A window that becomes narrower wraps its lines anew, and the cursor stays at its character.
 */
export class FakeScreen {
  readonly isTTY = true;
  /** What the program is told. */
  columns: number;
  private width: number;
  private wraps = true;
  private readonly lines: LogicalLine[] = [{ text: '' }];
  private line = 0;
  private column = 0;

  constructor(columns: number) {
    this.columns = columns;
    this.width = columns;
  }

  /** @param told whether the program hears of it */
  resize(columns: number, told = true): void {
    this.width = columns;
    if (told) this.columns = columns;
  }

  write(output: string): boolean {
    const tokens =
      /\u001b\[(?<csi>[\d;?]*[A-Za-z])|(?<text>[^\u001b\r\n]+)|(?<move>[\r\n])|(?<other>\u001b)/gu;
    for (const { groups } of output.matchAll(tokens)) this.act(groups!);
    if (!this.wraps) throw new Error(`lines do not wrap any more after ${JSON.stringify(output)}`);
    return true;
  }

  /** The rows from the first on, those that have scrolled away too; blank ones at the end are left out. */
  rows(): string[] {
    const rows = this.lines.flatMap(({ text }) => this.wrap(text));
    return rows.slice(0, rows.findLastIndex((row) => row !== '') + 1);
  }

  /** What a shell would write now, at the place of the cursor. */
  prompt(): string[] {
    this.write('$ ');
    return this.rows();
  }

  private act({ csi, text, move, other }: Record<string, string | undefined>): void {
    if (text !== undefined) this.put(text);
    else if (move === '\r') this.column -= this.column % this.width;
    else if (move === '\n') this.feed();
    else if (csi === 'J') this.clear();
    else if (csi === '?7l' || csi === '?7h') this.wraps = csi === '?7h';
    else if (other !== undefined || !csi!.endsWith('m')) {
      throw new Error(`the terminal is asked for ${JSON.stringify(csi ?? other)}`);
    }
  }

  private put(written: string): void {
    const { lines, line, column } = this;
    const edge = this.wraps ? Infinity : column - (column % this.width) + this.width;
    const text = written.slice(0, edge - column);
    const before = lines[line].text.padEnd(column);
    lines[line].text = before.slice(0, column) + text + before.slice(column + text.length);
    this.column = Math.min(column + text.length, edge - 1);
  }

  private feed(): void {
    this.line++;
    this.column = 0;
    if (this.line === this.lines.length) this.lines.push({ text: '' });
  }

  private clear(): void {
    this.lines[this.line].text = this.lines[this.line].text.slice(0, this.column);
    this.lines.length = this.line + 1;
  }

  private wrap(text: string): string[] {
    const rows: string[] = [];
    for (let i = 0; i === 0 || i < text.length; i += this.width) rows.push(text.slice(i, i + this.width));
    return rows;
  }
}
