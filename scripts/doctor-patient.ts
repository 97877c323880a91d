import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { DivergenceError } from '../src/common/errors.js';
import { camelizeKeys } from '../src/config/camel.js';
import { configSchema, type ModelConfig, type TrainConfig } from '../src/config/schema.js';
import type { PairSource } from '../src/data/batch-iterator.js';
import { EOS } from '../src/data/dictionary.js';
import { makeToyPairs } from '../src/data/toy-language.js';
import { Transformer } from '../src/model/transformer.js';
import { REPORT_FILES } from '../src/train/doctor/report.js';
import { INITIAL_STATE } from '../src/train/state.js';
import { Trainer } from '../src/train/trainer.js';
import type { AllReduce } from '../src/train/update.js';

/** What the doctor said of a run. */
export interface Found {
  /** Lines of `event: doctor`. */
  events: Record<string, unknown>[];
  /** divergence.json, where training was given up. */
  report: { advice: { measure: string }[]; diagnosis: { cause: string } } | null;
}

/** A small training, healthy unless something here makes it ill. */
export interface Patient {
  model?: Partial<ModelConfig>;
  train?: Partial<TrainConfig>;
  /** Makes it ill before training starts. */
  infect?: (model: Transformer) => void;
  allReduce?: AllReduce;
}

const defaults = camelizeKeys(configSchema.parse({}));
const PAIRS = 600;
const TEXT = makeToyPairs(PAIRS, 1);
/** A word that is in one source sentence alone. */
export const RARE_PAIR = 17;
export const SOURCE = encode(TEXT.map(({ source }, i) => (i === RARE_PAIR ? `${source} hapax` : source)));
const TARGET = encode(TEXT.map(({ target }) => target));
const DATA: PairSource = {
  sourceLengths: Int32Array.from(SOURCE.sentences, ({ length }) => length),
  targetLengths: Int32Array.from(TARGET.sentences, ({ length }) => length),
  pair: (i) => ({ source: SOURCE.sentences[i], target: TARGET.sentences[i] }),
};

/** Words as ids, after the four special ones. */
function encode(lines: readonly string[]): { words: Map<string, number>; sentences: Int32Array[] } {
  const words = new Map<string, number>();
  const sentences = lines.map((line) => {
    const ids = line.split(' ').map((word) => {
      if (!words.has(word)) words.set(word, 4 + words.size);
      return words.get(word)!;
    });
    return Int32Array.from([...ids, EOS]);
  });
  return { words, sentences };
}

/** Trains it to its end, or until the doctor gives it up. */
export async function trainPatient(
  { model: modelChanges, train: changes, infect, allReduce }: Patient,
  seed: number,
): Promise<Found> {
  const runDirectory = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-doctor-'));
  const modelConfig: ModelConfig = {
    ...defaults.model,
    ...{ embedDim: 16, ffnEmbedDim: 32, attentionHeads: 2, encoder: { layers: 2 }, decoder: { layers: 2 } },
    ...{
      dropout: 0.05,
      attentionDropout: 0,
      activationDropout: 0,
      shareEmbeddings: 'none',
      maxPositions: 64,
    },
    ...{ omega: { ...defaults.model.omega, init: 'analytic' } },
    ...modelChanges,
  };
  const config: TrainConfig = {
    ...defaults.train,
    ...{ lr: 0.003, warmupUpdates: 100, maxTokens: 400, maxUpdate: 40, validateInterval: 0, saveInterval: 0 },
    ...changes,
  };
  const vocabulary = { source: SOURCE.words.size + 4, target: TARGET.words.size + 4 };
  const model = Transformer.create(modelConfig, vocabulary, seed);
  infect?.(model);
  const trainer = new Trainer(
    {
      ...{ config, seed, maxPositions: modelConfig.maxPositions, runDirectory, allReduce },
      origin: { settings: {}, dataHash: '', vocabulary: {} },
      ...{ train: DATA, valid: null, interrupted: () => undefined },
    },
    { model, state: INITIAL_STATE },
  );
  try {
    await trainer.run().catch((error) => {
      if (!(error instanceof DivergenceError)) throw error;
    });
    const report = path.join(runDirectory, REPORT_FILES.json);
    return {
      events: fs
        .readFileSync(path.join(runDirectory, 'metrics.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"doctor"'))
        .map((line) => JSON.parse(line)),
      report: fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')) : null,
    };
  } finally {
    trainer.dispose();
    model.dispose();
    fs.rmSync(runDirectory, { recursive: true });
  }
}
