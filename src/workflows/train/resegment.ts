import { UserError } from '../../common/errors.js';
import { Purpose, RandomStream } from '../../common/rng.js';
import { tagsOf } from '../../config/corpus-list.js';
import type { DataConfig } from '../../config/schema.js';
import type { Resegment } from '../../data/batch-iterator.js';
import { type Dictionary, EOS, UNK } from '../../data/dictionary.js';
import { Tokenizer } from '../../tokenizer/index.js';
import { tokenizerFiles } from '../runs/directory.js';

/**
 * BPE-dropout for the pairs of a dataset: a pair's segmentation is a function of the seed, the epoch and its index.
 *
 * @returns undefined where it is off
 * @throws UserError where the dataset has no tokenizer, or one that knows no merges
 */
export function createResegment(
  data: DataConfig,
  seed: number,
  source: Dictionary,
  target: Dictionary,
): Resegment | undefined {
  const { bpeDropout, sourceLang, targetLang } = data;
  if (bpeDropout === 0) return undefined;
  const tokenizers = loadTokenizers(data, [sourceLang, targetLang]);
  const random = (index: number, epoch: number, side: number): (() => number) => {
    const stream = new RandomStream({
      seed,
      step: epoch,
      purpose: Purpose.bpeDropout,
      site: 2 * index + side,
    });
    return () => stream.nextUniform();
  };
  const tags = new Set(tagsOf(data).map((tag) => source.indexOf(tag)));
  tags.delete(UNK);
  return (pair, index, epoch) => ({
    source: afterTag(pair.source, tags, (ids) =>
      segmentAnew(ids, tokenizers[0], source, bpeDropout, random(index, epoch, 0)),
    ),
    target: segmentAnew(pair.target, tokenizers[1], target, bpeDropout, random(index, epoch, 1)),
  });
}

/** The tokenizer of each language. One file is read once. */
function loadTokenizers(data: DataConfig, languages: readonly string[]): Tokenizer[] {
  const files = tokenizerFiles(data);
  const loaded = new Map<string, Tokenizer>();
  return languages.map((language) => {
    const file = files.get(`tokenizer.${language}.model`) ?? files.get('tokenizer.model');
    if (file === undefined) {
      throw new UserError({
        problem: `data.bpe-dropout needs the tokenizer of ${language}, found none in the dataset`,
        where: data.destdir,
        hint: 'Set data.tokenizer.model to the BPE model that the dataset was made with, or data.bpe-dropout to 0.',
      });
    }
    const tokenizer = loaded.get(file) ?? Tokenizer.load(file);
    if (tokenizer.kind !== 'bpe') {
      throw new UserError({
        problem: `data.bpe-dropout needs a BPE model, found a ${tokenizer.kind} model`,
        where: file,
        hint: 'Set data.bpe-dropout to 0, or make the dataset with a BPE model.',
      });
    }
    loaded.set(file, tokenizer);
    return tokenizer;
  });
}

/** What becomes of a sentence, but for the tag that it may begin with. */
function afterTag(
  ids: Int32Array,
  tags: ReadonlySet<number>,
  change: (ids: Int32Array) => Int32Array,
): Int32Array {
  if (!tags.has(ids[0])) return change(ids);
  return Int32Array.from([ids[0], ...change(ids.subarray(1))]);
}

/** Other ids of the same text; the given ones where it has something that the dictionary lacks. */
function segmentAnew(
  ids: Int32Array,
  tokenizer: Tokenizer,
  dictionary: Dictionary,
  dropout: number,
  random: () => number,
): Int32Array {
  const tokens = ids.subarray(0, -1);
  if (tokens.includes(UNK)) return ids;
  const pieces = Array.from(tokens, (id) => dictionary.symbolOf(id));
  const other = tokenizer.encodeWithDropout(tokenizer.decode(pieces), dropout, random);
  // Text that the tokenizer would not bring to this form, such as that of another program, stays as it is.
  if (other.join('') !== pieces.join('')) return ids;
  const otherIds = other.map((piece) => dictionary.indexOf(piece));
  return otherIds.includes(UNK) ? ids : Int32Array.from([...otherIds, EOS]);
}
