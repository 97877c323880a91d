import { statSync } from 'node:fs';
import type { Communicator } from '../common/communicator.js';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { agree } from '../distributed/agree.js';

/** Lines that a rank takes at a time; rank 0 holds as many of every rank. */
const BLOCK = 256;

/** Translations as they are written, and what they count for. */
export interface Written {
  text: string;
  sentences: number;
  tokens: number;
}

/** The lines of one rank: every so many blocks one, each known by its place in the whole text. */
export class OwnLines {
  private readonly rank: number;
  private readonly size: number;

  constructor({ rank, size }: Pick<Communicator, 'rank' | 'size'>) {
    this.rank = rank;
    this.size = size;
  }

  /** Those of all lines that are this rank's. */
  async *of<T>(lines: AsyncIterable<T>): AsyncGenerator<T> {
    let index = 0;
    for await (const line of lines) {
      if (Math.floor(index / BLOCK) % this.size === this.rank) yield line;
      index++;
    }
  }

  /** The place among all lines of one of its own. */
  placeOf(own: number): number {
    return (Math.floor(own / BLOCK) * this.size + this.rank) * BLOCK + (own % BLOCK);
  }
}

/**
 * What all ranks have written, in the order of the lines: a block of each rank at a time.
 *
 * @param own what this rank makes of its lines, one after another; where it ends, so do its blocks
 * @param warnings what this rank has to say meanwhile: rank 0 is heard, so all say what all have found
 */
export async function* inTurn(
  communicator: Communicator,
  own: AsyncIterator<Written>,
  warnings: string[] = [],
): AsyncGenerator<Written> {
  for (;;) {
    const block = await nextBlock(own);
    const told = communicator.exchange({ block, warnings: warnings.splice(0) });
    const blocks = told.map((one) => one.block);
    for (const warning of told.flatMap((one) => one.warnings)) log.warn(warning);
    let wanted = false;
    try {
      yield joined(blocks);
      wanted = true;
    } finally {
      wanted = communicator.broadcast(wanted); // rank 0 writes, and knows whether somebody reads on
    }
    if (!wanted || blocks.some(({ sentences }) => sentences < BLOCK)) return;
  }
}

async function nextBlock(own: AsyncIterator<Written>): Promise<Written> {
  const parts: Written[] = [];
  while (parts.length < BLOCK) {
    const { done, value } = await own.next();
    if (done === true) break;
    parts.push(value);
  }
  return joined(parts);
}

function joined(parts: readonly Written[]): Written {
  const sum = (what: 'sentences' | 'tokens'): number => parts.reduce((total, part) => total + part[what], 0);
  return { text: parts.map(({ text }) => text).join(''), sentences: sum('sentences'), tokens: sum('tokens') };
}

/** @throws UserError where ranks would not translate the same text by the same model */
export function checkShared(communicator: Communicator, input: string, checkpoint: string): void {
  if (input === '-') {
    throw new UserError({
      problem: 'expected a file that all ranks read, found standard input, which MPI gives to one of them',
      where: '--input',
      hint: 'Use --input FILE; `--distributed none` lets each process work alone.',
    });
  }
  agree(communicator, {
    'the checkpoint': checkpoint,
    'the bytes of the text': `${statSync(input).size}`,
  });
}
