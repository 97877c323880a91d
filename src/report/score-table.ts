/** The looks of a table: sacreBLEU's two (`text` is tabulate's fancy_grid, `latex` its latex_booktabs), and two more of tabulate's. */
export const TABLE_FORMATS = ['text', 'latex', 'markdown', 'rst'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** Lines of cells, each as wide as its column. */
interface Layout {
  widths: number[];
  /** The lines of a row of the table; a cell may have several. */
  rows: string[][][];
}

const LATEX_ESCAPES: Readonly<Record<string, string>> = {
  '&': '\\&',
  '%': '\\%',
  $: '\\$',
  '#': '\\#',
  _: '\\_',
  '^': '\\^{}',
  '{': '\\{',
  '}': '\\}',
  '~': '\\textasciitilde{}',
  '\\': '\\textbackslash{}',
  '<': '\\ensuremath{<}',
  '>': '\\ensuremath{>}',
};

/**
 * A table as Python's tabulate sets it for sacreBLEU: the first column to the right, the others in the middle.
 *
 * @param header a name for each column
 * @param rows cells; a line break in one makes the row taller (only `text` has such rows)
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  format: TableFormat,
): string {
  const layout = layOut(header, rows);
  return FORMATTERS[format](layout).join('\n');
}

const FORMATTERS: Record<TableFormat, (layout: Layout) => string[]> = {
  text: ({ widths, rows: [header, ...rows] }) => {
    const rule = (left: string, line: string, cross: string, right: string) =>
      left + widths.map((width) => line.repeat(width + 2)).join(cross) + right;
    const lines = (row: string[][]) => row.map((cells) => `│ ${cells.join(' │ ')} │`);
    const body = rows.map(lines).flatMap((row, i) => (i === 0 ? row : [rule('├', '─', '┼', '┤'), ...row]));
    return [
      rule('╒', '═', '╤', '╕'),
      ...lines(header),
      rule('╞', '═', '╪', '╡'),
      ...body,
      rule('╘', '═', '╧', '╛'),
    ];
  },
  latex: ({ widths, rows: [header, ...rows] }) => {
    const line = ([cells]: string[][]) => `${cells.map((cell) => ` ${escapeLatex(cell)} `).join('&')}\\\\`;
    return [
      `\\begin{tabular}{r${'c'.repeat(widths.length - 1)}}`,
      '\\toprule',
      line(header),
      '\\midrule',
      ...rows.map(line),
      '\\bottomrule',
      '\\end{tabular}',
    ];
  },
  markdown: ({ widths, rows: [header, ...rows] }) => {
    const line = ([cells]: string[][]) => `| ${cells.join(' | ')} |`;
    const [first, ...others] = widths.map((width) => '-'.repeat(width));
    const rule = [`${first}-:`, ...others.map((dashes) => `:${dashes}:`)].join('|');
    return [line(header), `|${rule}|`, ...rows.map(line)];
  },
  rst: ({ widths, rows: [header, ...rows] }) => {
    const line = ([cells]: string[][]) => cells.join('  ').trimEnd();
    const rule = widths.map((width) => '='.repeat(width)).join('  ');
    return [rule, line(header), rule, ...rows.map(line), rule];
  },
};

function layOut(header: readonly string[], rows: readonly (readonly string[])[]): Layout {
  const table = [header, ...rows].map((row) => row.map((cell) => cell.split('\n')));
  const widths = header.map((name, column) => {
    const cells = table.slice(1).flatMap((row) => row[column].map(widthOf));
    return Math.max(widthOf(name) + 2, ...cells); // tabulate leaves a header two characters of room
  });
  const set = table.map((row) => {
    const height = Math.max(...row.map((lines) => lines.length));
    return Array.from({ length: height }, (_, i) =>
      row.map((lines, column) => pad(lines[i] ?? '', widths[column], column > 0)),
    );
  });
  return { widths, rows: set };
}

function pad(text: string, width: number, centred: boolean): string {
  const room = width - widthOf(text);
  const left = centred ? Math.floor(room / 2) : room;
  return ' '.repeat(left) + text + ' '.repeat(room - left);
}

/** Characters, colours aside. */
function widthOf(text: string): number {
  return Array.from(text.replaceAll(/\x1b\[\d+m/g, '')).length;
}

function escapeLatex(text: string): string {
  return text.replaceAll(/[&%$#_^{}~\\<>]/g, (character) => LATEX_ESCAPES[character]);
}
