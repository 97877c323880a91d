import { type Complaint, nearest, UserError } from '../common/errors.js';

/**
 * The names that patterns stand for. In a pattern `*` is any run of characters, dots included, `?` any one of them.
 *
 * @param names of all weights
 * @throws UserError for every pattern that stands for none, with the nearest that does
 */
export function frozenNames(names: readonly string[], patterns: readonly string[]): string[] {
  const found = patterns.map((pattern) => names.filter((name) => matches(name, pattern)));
  const complaints = patterns
    .filter((_, i) => found[i].length === 0)
    .map((pattern) => unmatched(pattern, names));
  if (complaints.length > 0) throw new UserError(complaints);
  return found.flat();
}

function matches(name: string, pattern: string): boolean {
  const escaped = pattern.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(name);
}

function unmatched(pattern: string, names: readonly string[]): Complaint {
  const meant = nearest(pattern, patternsFor(names));
  const suggestion = meant === undefined ? '' : `Did you mean '${meant}'? `;
  return {
    problem: `expected the names of weights, found '${pattern}', which is none`,
    where: 'train.freeze',
    hint: `${suggestion}Names are those in model.safetensors, such as ${names[0]} and ${names.at(-1)}.`,
  };
}

/** Names, what they begin with (`encoder.layers.0.*`) and what they end with (`*.fc1.weight`). */
function patternsFor(names: readonly string[]): Set<string> {
  const parts = names.map((name) => name.split('.'));
  return new Set(
    parts.flatMap((name) =>
      name.flatMap((_, i) =>
        i === 0 ? [name.join('.')] : [`${name.slice(0, i).join('.')}.*`, `*.${name.slice(i).join('.')}`],
      ),
    ),
  );
}
