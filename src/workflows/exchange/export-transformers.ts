import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../../common/errors.js';
import { writeFileAtomic } from '../../common/files.js';
import type { Dictionary } from '../../data/dictionary.js';
import { writeSafetensors } from '../../formats/safetensors.js';
import { marianMtIds, marianMtModel, marianMtOrder, marianMtSize, NO_SYMBOL } from '../../model/marian-mt.js';
import { type Exported, withoutOmega } from './exported.js';

/** The most tokens that a search writes there by default, as in models of Opus-MT. */
const LONGEST = 512;

/**
 * Writes a folder of `MarianMTModel` and `MarianTokenizer` (Hugging Face's transformers, models/marian).
 *
 * @throws UserError for a model that has no form there, and a run without tokenizers
 */
export function exportTransformers(folder: string, model: Exported): void {
  const { dictionaries } = model;
  const tokenizers = sentencePieceModels(model);
  const plain = withoutOmega(model, 'MarianMTModel');
  const { weights, config: architecture } = marianMtModel(plain.config, plain.weights);
  writeSafetensors(path.join(folder, 'model.safetensors'), weights, { format: 'pt' });
  const size = marianMtSize({ source: dictionaries.source.size, target: dictionaries.target.size });
  const json = (name: string, value: unknown): void =>
    writeFileAtomic(path.join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  json('config.json', architecture);
  json('generation_config.json', generation(model, size));
  json('tokenizer_config.json', tokenizerConfig(model));
  writeFileAtomic(path.join(folder, 'vocab.json'), vocabularyText(dictionaries.source, size));
  if (areApart(model))
    writeFileAtomic(path.join(folder, 'target_vocab.json'), vocabularyText(dictionaries.target, size));
  ['source.spm', 'target.spm'].forEach((name, i) => {
    writeFileAtomic(path.join(folder, name), readFileSync(tokenizers[i]));
  });
}

function areApart({ dictionaries: { source, target } }: Exported): boolean {
  return source.hash !== target.hash;
}

/** The files of source and target. */
function sentencePieceModels({ config: { data }, tokenizers }: Exported): [string, string] {
  const [source, target] = [data.sourceLang, data.targetLang].map(
    (language) => tokenizers.get(`tokenizer.${language}.model`) ?? tokenizers.get('tokenizer.model'),
  );
  if (source !== undefined && target !== undefined) return [source, target];
  throw new UserError({
    problem: 'expected a run with tokenizers, which MarianTokenizer needs, found none',
    hint: 'A model of text that other programs have segmented is written by `export -f onnx` or `-f safetensors`.',
  });
}

/** `{"symbol": id, …}`; a symbol that is there twice has the later id, but the special ones keep theirs. */
function vocabularyText(dictionary: Dictionary, size: number): string {
  const ids = new Map<string, number>();
  marianMtOrder(dictionary.size, size).forEach((own, id) => {
    ids.set(own === NO_SYMBOL ? `<unused${id}>` : dictionary.symbolOf(own), id);
  });
  for (const [symbol, id] of [
    ['</s>', 0],
    ['<unk>', 1],
  ] as const)
    ids.set(symbol, id);
  const lines = Array.from(ids, ([symbol, id]) => `  ${JSON.stringify(symbol)}: ${id}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

function tokenizerConfig(model: Exported) {
  const { sourceLang, targetLang } = model.config.data;
  return {
    tokenizer_class: 'MarianTokenizer',
    source_lang: sourceLang,
    target_lang: targetLang,
    unk_token: '<unk>',
    eos_token: '</s>',
    pad_token: '<pad>',
    model_max_length: Math.min(LONGEST, model.config.model.maxPositions),
    sp_model_kwargs: {},
    separate_vocabs: areApart(model),
    // By default spaces before punctuation are taken away, which are there in text that is tokenized.
    clean_up_tokenization_spaces: false,
  };
}

/** The search of `decode`, as far as it has a form there. */
function generation({ config: { decode, model } }: Exported, size: number) {
  return {
    ...marianMtIds(size),
    forced_eos_token_id: 0,
    // <s> and <pad>: never chosen, though they have their share of the probability.
    bad_words_ids: [[size - 2], [size - 1]],
    num_beams: decode.beam,
    length_penalty: decode.lenpen,
    early_stopping: true,
    // Both count what the translation starts with.
    min_length: decode.minLen + 1,
    max_length: Math.min(LONGEST, model.maxPositions),
  };
}
