import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { type ListCodec, type ListOptions, SentenceOrder } from '../decode/given-list.js';
import { MinimumRisk, type Utility } from '../decode/minimum-risk.js';
import { rankedSentences } from '../decode/ranked-list.js';
import { readList } from '../decode/read-list.js';
import type { LineOutput } from './translate.js';

export interface RerankOptions {
  utility: Utility;
  /** For the tokenizer of BLEU. */
  targetLang: string;
  /** Whether the best translation of each sentence is written as text, and not the list. */
  best: boolean;
  openOutput: () => LineOutput;
}

/** Sentences without translation one after another; a number of more digits than was meant would else fill the disk. */
const MOST_LEFT_OUT = 1_000_000;

/**
 * `admin-nmt rerank`: a list of translations → the same, of each sentence first what is most like all of its translations.
 *
 * @param list a file; `-` is standard input
 * @throws UserError for what is no list, by `file:line`; no file is then written
 */
export async function rerank(list: string, options: RerankOptions): Promise<void> {
  const { utility, targetLang, best } = options;
  const units = readList(list, new SentenceOrder(), NO_MODEL, HOW);
  const risk = new MinimumRisk(utility, targetLang);
  const output = options.openOutput();
  const texts = new BestTexts(list);
  try {
    for await (const ranked of rankedSentences(units, risk)) {
      const text = best ? texts.of(ranked.sentence, ranked.best) : ranked.written;
      if (!(await output.write(text))) break;
    }
    output.commit();
  } finally {
    output.close();
  }
  if (texts.blank > 0)
    log.warn(`sentences without a translation in the list: ${texts.blank}; their lines are blank`);
}

/** The names are those of `translate --mbr`. */
const HOW: ListOptions = { feature: 'Utility', field: 'utility', tokens: false, lenpen: null };

/** Utilities need no ids. */
const NO_MODEL: ListCodec = {
  encode: () => new Int32Array(0),
  encodeTarget: () => new Int32Array(0),
  targetIds: () => new Int32Array(0),
};

/** Best translations line by line; those of sentences that are left out are blank. */
class BestTexts {
  blank = 0;
  private next: number | undefined;
  private readonly list: string;

  constructor(list: string) {
    this.list = list;
  }

  of(sentence: number | null, best: string | null): string {
    if (sentence === null) return '';
    const first = this.next ?? 0;
    const leftOut = sentence - first;
    if (leftOut > MOST_LEFT_OUT)
      throw new UserError({
        problem: `expected a translation for each sentence, found none for lines ${first + 1} to ${sentence} of the text`,
        where: this.list === '-' ? 'standard input' : this.list,
        hint: 'Mend the numbers of the list, or leave --best out.',
      });
    this.next = sentence + 1;
    this.blank += leftOut + (best === null ? 1 : 0);
    return `${'\n'.repeat(leftOut)}${best ?? ''}\n`;
  }
}
