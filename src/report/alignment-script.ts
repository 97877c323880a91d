/** The script of the page of alignments: it shows what goes with the word that is pointed at, as the matrix has it. */
export const ALIGNMENT_SCRIPT = `
const lit = [];
function show(word) {
  for (const { classList, style } of lit.splice(0)) { classList.remove('chosen', 'lit'); style.removeProperty('--weight'); }
  if (!word) return;
  const section = word.closest('section');
  const [source, target] = section.querySelectorAll('.side');
  const rows = section.querySelector('.matrix').tBodies[0].rows;
  const place = [...word.parentNode.children].indexOf(word);
  const isSource = word.parentNode === source;
  word.classList.add('chosen');
  lit.push(word);
  [...(isSource ? target : source).children].forEach((other, i) => {
    const cell = isSource ? rows[i].cells[place + 1] : rows[place].cells[i + 1];
    other.style.setProperty('--weight', cell.style.getPropertyValue('--weight') || '0%');
    other.classList.add('lit');
    lit.push(other);
  });
}
const wordOf = ({ target }) => target.closest('.side span');
for (const type of ['pointerover', 'focusin']) document.addEventListener(type, (event) => show(wordOf(event)));
document.addEventListener('focusout', () => show(null));
`;
