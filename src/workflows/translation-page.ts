import type { Communicator } from '../common/communicator.js';
import { UserError } from '../common/errors.js';
import { type AtomicFile, openAtomic } from '../common/file-output.js';
import { log } from '../common/log.js';
import type { Translation } from '../decode/translation-format.js';
import { type AlignedSentence, alignmentPage } from '../report/alignment-page.js';
import { pageOrigin } from './runs/page-origin.js';

/** Most sentences of a page: a browser has to hold all their matrices. */
export const SHOWN = 200;

/** @throws UserError where there can be no page: of documents, whose sentences are joined, and where several processes translate */
export function checkPage(document: object | undefined, { size }: Communicator): void {
  const refuse = (problem: string) =>
    new UserError({ problem, where: '--html', hint: 'Leave one of them out.' });
  if (document !== undefined) throw refuse('a document is written as it was read, without alignments');
  if (size > 1) throw refuse(`expected one process, found ${size}`);
}

/** Gathers the first translations of a text for a page that shows them with their alignment. */
export class TranslationPage {
  private readonly name: string;
  private readonly file: AtomicFile;
  private readonly args: readonly string[] | undefined;
  private readonly sentences: AlignedSentence[] = [];
  private translated = 0;

  /**
   * @param args the command line, for the page
   * @throws UserError where the file cannot be written
   */
  constructor(name: string, args: readonly string[] | undefined) {
    this.name = name;
    this.file = openAtomic(name);
    this.args = args;
  }

  add({ index, hypotheses: [{ alignment }] }: Translation): void {
    this.translated++;
    if (alignment === undefined || this.sentences.length === SHOWN) return; // a blank line has none
    this.sentences.push({ line: index + 1, ...alignment });
  }

  /** All is translated. */
  commit(): void {
    this.file.write(alignmentPage(this.sentences, this.translated, pageOrigin(this.args)));
    this.file.commit();
    log.info(`Page: ${this.name}`);
  }

  /** Ends it; a page that was not committed is removed. */
  close(): void {
    this.file.discard();
  }
}
