import { UserError } from '../common/errors.js';

/** A model that diverged. */
export function notFinite(): UserError {
  return new UserError({
    problem: 'the model gives no finite probability to any continuation',
    hint: 'Its training has probably diverged; translate with an earlier checkpoint.',
  });
}

/** Rules that leave nothing. @param line from 0 */
export function deadEnd(line: number): UserError {
  return new UserError({
    problem: `nothing may follow in a translation of line ${line + 1}: its rules forbid all of what is left`,
    hint: 'Give it fewer phrases, a shorter prefix, a larger --no-repeat-ngram-size, or no --shortlist, which allows few tokens.',
  });
}
