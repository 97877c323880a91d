/** A table in a box that scrolls sideways. @param texts how many of the first columns hold text; the rest numbers */
export function table(heads: readonly string[], rows: readonly string[], texts: number): string {
  const head = heads.map((text, i) => `<th scope="col"${i < texts ? '' : ' class="number"'}>${text}</th>`);
  return [
    '<div class="scroll" tabindex="0"><table>',
    `<thead><tr>${head.join('')}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${row}</tr>`).join('\n')}</tbody></table></div>`,
  ].join('\n');
}

/** A cell with a number, or a dash where there is none. */
export function number(value: number | null | undefined, format: (value: number) => string): string {
  return `<td class="number">${value == null ? '<span class="quiet">–</span>' : format(value)}</td>`;
}
