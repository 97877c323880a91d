import { nearest, UserError } from '../common/errors.js';

/** The error for a name that is none of the choices: tells them all, and the one that was probably meant. */
export function unknownChoice(where: string, found: string, choices: readonly string[]): UserError {
  const meant = nearest(found, choices);
  return new UserError({
    problem: `expected one of ${choices.join(', ')}, found '${found}'`,
    where,
    hint: meant === undefined ? 'Choose one of these names.' : `Did you mean '${meant}'?`,
  });
}
