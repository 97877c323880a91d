import { EOS } from '../../data/dictionary.js';
import { after, type Link, ranked } from '../hypothesis.js';
import type { SearchOptions } from '../search-options.js';
import type { Continuations, StepModel } from '../step-model.js';
import type { Asking } from './choice.js';
import { neverChosen } from './never-chosen.js';

/** The best continuations, as the model itself finds them: nothing else of its probabilities is looked at. */
export function plainAsking({ vocabularySize }: StepModel, { beam, unk }: SearchOptions): Asking {
  const forbidden = neverChosen(unk);
  // Where </s> is forbidden to a sentence, 2·beam − 1 others are as many as live on, and more.
  const k = Math.min(2 * beam, vocabularySize - forbidden.length);
  const leaders = new Leaders(2 * beam);
  return async (state, tokens) => {
    const top = await state.step(tokens, k, forbidden);
    return ({ length, minLength, maxLength }, { live, width }, firstRow) => {
      if (length >= maxLength) return endings(live, top.endLogProbs, firstRow).slice(0, 2 * width);
      return leaders.of(live, top, { firstRow, k, count: 2 * width, early: length < minLength });
    };
  };
}

/** Which of the offered continuations are asked for. */
interface Wanted {
  firstRow: number;
  /** Offered for each row. */
  k: number;
  count: number;
  /** Whether it is too early for `</s>`. */
  early: boolean;
}

/**
 * Finds the best continuations of the hypotheses of a sentence: of all that the model offers, a few. A step does this for each sentence,
 * so what is no candidate in the end is never made one.
 */
class Leaders {
  // of the best so far, the best first: Σ log p, the row of the sentence, and the place among all that is offered
  private readonly totals: Float64Array;
  private readonly rows: Int32Array;
  private readonly places: Int32Array;
  private found = 0;

  /** @param most that are asked for */
  constructor(most: number) {
    this.totals = new Float64Array(most);
    this.rows = new Int32Array(most);
    this.places = new Int32Array(most);
  }

  /** The possible ones by falling total; ties to the better hypothesis (they are in order), then to the lower id. */
  of(live: readonly Link[], top: Continuations, wanted: Wanted): Link[] {
    const { firstRow, k, count, early } = wanted;
    const { ids, logProbs } = top;
    const { totals, rows, places } = this;
    this.found = 0;
    for (let row = 0; row < live.length; row++) {
      const before = live[row].total;
      for (let place = (firstRow + row) * k; place < (firstRow + row + 1) * k; place++) {
        if (early && ids[place] === EOS) continue;
        const total = before + logProbs[place];
        if (!Number.isFinite(total)) continue;
        if (this.found === count && total < totals[count - 1]) break; // and so are those that follow in this row
        this.insert(total, row, place, ids, count);
      }
    }
    const links = new Array<Link>(this.found);
    for (let i = 0; i < links.length; i++)
      links[i] = after(live[rows[i]], ids[places[i]], logProbs[places[i]]);
    return links;
  }

  private insert(total: number, row: number, place: number, ids: Int32Array, count: number): void {
    const { totals, rows, places } = this;
    let at = this.found;
    while (at > 0 && precedes(total, row, ids[place], totals[at - 1], rows[at - 1], ids[places[at - 1]]))
      at--;
    if (at === count) return;
    if (this.found < count) this.found++;
    for (let i = this.found - 1; i > at; i--) {
      totals[i] = totals[i - 1];
      rows[i] = rows[i - 1];
      places[i] = places[i - 1];
    }
    totals[at] = total;
    rows[at] = row;
    places[at] = place;
  }
}

function precedes(
  total: number,
  row: number,
  token: number,
  otherTotal: number,
  otherRow: number,
  otherToken: number,
): boolean {
  if (total !== otherTotal) return total > otherTotal;
  return row !== otherRow ? row < otherRow : token < otherToken;
}

/** `</s>` after each hypothesis of a sentence, best first. */
function endings(live: readonly Link[], logProbs: Float32Array, firstRow: number): Link[] {
  return ranked(live.map((parent, row) => after(parent, EOS, logProbs[firstRow + row])));
}
