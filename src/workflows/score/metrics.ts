import * as fs from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { UserError } from '../../common/errors.js';
import { sha256File } from '../../common/files.js';
import { log } from '../../common/log.js';
import { unknownChoice } from '../../metrics/choice.js';
import {
  BLEU,
  type BleuOptions,
  CHRF,
  type ChrfOptions,
  type CustomTokenizer,
  type Metric,
  TER,
  type TerOptions,
} from '../../metrics/sacrebleu.js';
import { MODEL_TOKENIZERS, type ModelTokenizer } from '../../metrics/tokenizers/tokenizer.js';

/** In the order in which sacreBLEU prints them. */
export const METRIC_NAMES = ['bleu', 'chrf', 'ter'] as const;
export type MetricName = (typeof METRIC_NAMES)[number];

export interface MetricOptions {
  metrics: readonly string[];
  bleu: Omit<BleuOptions, 'tokenize' | 'onWarning'> & { tokenize?: string };
  chrf: ChrfOptions;
  ter: TerOptions;
  /** For the tokenizers that are SentencePiece models. */
  spmModel?: string;
}

/** Where sacreBLEU gets its models, and the names under which it keeps them. */
const MODELS: Record<ModelTokenizer, { file: string; url: string }> = {
  spm: flores101(),
  flores101: flores101(),
  flores200: { file: 'flores200sacrebleuspm', url: 'https://tinyurl.com/flores200sacrebleuspm' },
  'spBLEU-1K': {
    file: 'spbleu-1k_tokenizer_spm.model',
    url: 'https://www.dlnlp.ai/spBLEU-1K/spbleu-1k_tokenizer_spm.model',
  },
};

function flores101() {
  const file = 'sacrebleu_tokenizer_spm.model';
  return { file, url: `https://dl.fbaipublicfiles.com/fairseq/models/flores/${file}` };
}

/**
 * The metrics that were asked for, each once, in the order of METRIC_NAMES.
 *
 * @throws UserError for names, options and models that do not exist
 */
export async function createMetrics(options: MetricOptions): Promise<Metric[]> {
  const { metrics, bleu, chrf, ter } = options;
  for (const name of metrics) {
    if (!METRIC_NAMES.includes(name as MetricName)) throw unknownChoice('--metrics', name, METRIC_NAMES);
  }
  if (metrics.length === 0) {
    throw new UserError({ problem: 'expected at least one metric, found none', where: '--metrics' });
  }
  const makers: Record<MetricName, () => Promise<Metric> | Metric> = {
    bleu: async () => createBleu(bleu, await modelTokenizer(bleu.tokenize, options.spmModel)),
    chrf: () => new CHRF(chrf),
    ter: () => new TER(ter),
  };
  return await Promise.all(
    METRIC_NAMES.filter((name) => metrics.includes(name)).map((name) => makers[name]()),
  );
}

/** BLEU with its advice in the log. */
export function createBleu(options: MetricOptions['bleu'], custom?: CustomTokenizer): BLEU {
  return new BLEU({ ...options, tokenize: custom ?? options.tokenize, onWarning: log.warn });
}

/**
 * The tokenizer of a SentencePiece model; undefined where the name is none that has one. `spm` with a model of the user's is
 * named by the model's checksum: only who has that file gets the score again.
 */
async function modelTokenizer(
  name: string | undefined,
  model?: string,
): Promise<CustomTokenizer | undefined> {
  if (!(MODEL_TOKENIZERS as readonly (string | undefined)[]).includes(name)) {
    if (model === undefined) return undefined;
    throw new UserError({
      problem: `expected a tokenizer that has a model (${MODEL_TOKENIZERS.join(', ')}), found ${name ?? 'none'}`,
      where: '--spm-model',
      hint: 'Add --tokenize spm.',
    });
  }
  const file = model ?? findModel(name as ModelTokenizer);
  const { Tokenizer } = await import('../../tokenizer/index.js');
  const tokenizer = Tokenizer.load(file);
  const own = name === 'spm' && model !== undefined;
  return {
    name: own ? `spm-${sha256File(file).slice(0, 8)}` : name === 'spm' ? 'flores101' : name!,
    tokenize: (line) => tokenizer.encode(line),
  };
}

/** Where a sacreBLEU on this machine would have put the model. */
function findModel(name: ModelTokenizer): string {
  const folder = path.join(process.env.SACREBLEU ?? path.join(homedir(), '.sacrebleu'), 'models');
  const { file, url } = MODELS[name];
  const place = path.join(folder, file);
  if (fs.existsSync(place)) return place;
  throw new UserError({
    problem: `the tokenizer '${name}' needs a SentencePiece model, which is not at ${place}`,
    where: 'tokenize',
    hint: `Get it from ${url} and put it there, or name a copy with --spm-model FILE.`,
  });
}
