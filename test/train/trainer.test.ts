import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, describe, test } from 'node:test';
import { DivergenceError, InterruptedError, UserError } from '../../src/common/errors.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import { readEventFile } from '../../src/formats/tfevents.js';
import type { WriteJob } from '../../src/train/saver.js';
import type { TrainState } from '../../src/train/state.js';
import type { TrainingEnd } from '../../src/train/training.js';
import {
  BACKENDS,
  copyTask,
  readMetrics,
  readTensors,
  scratchFolder,
  type TinyRun,
  tensorsLeft,
  trainTiny,
  useBackend,
} from './tiny.js';
import { writeWarm } from './warm-saver.js';

/** A signal that comes before the given update. */
function signalAfter(updates: number): () => 'SIGTERM' | undefined {
  let asked = 0;
  return () => (asked++ === updates ? 'SIGTERM' : undefined);
}

function withoutTimes({ meter, ...state }: Readonly<TrainState>): TrainState {
  return { ...state, seconds: 0, validatedSeconds: 0, meter: { ...meter, seconds: 0 } };
}

const link = (folder: string, name: string): string =>
  path.basename(fs.realpathSync(path.join(folder, name)));
const numbered = (folder: string): string[] =>
  fs.readdirSync(folder).filter((name) => /^checkpoint_\d/.test(name));

for (const backend of BACKENDS) {
  describe(`resuming on ${backend}`, () => {
    const run: TinyRun = {
      train: {
        maxUpdate: 7,
        maxTokens: 25,
        updateFreq: 2,
        clipNorm: 0.5,
        saveIntervalUpdates: 1,
        keepLast: 0,
        logInterval: 3,
      },
    };
    const whole = scratchFolder();
    let end: TrainingEnd;
    before(async () => {
      await useBackend(backend);
      end = await trainTiny(whole, run);
    });

    // 20 pairs are 4 batches, so an epoch has 3 updates: these end within an epoch, at its end and after it.
    for (const updates of [1, 2, 3, 5]) {
      test(`interrupted after ${updates} updates and resumed is bitwise the same as uninterrupted`, async () => {
        const parts = scratchFolder();
        await assert.rejects(
          trainTiny(parts, { ...run, options: { interrupted: signalAfter(updates) } }),
          (error) => error instanceof InterruptedError && error.signal === 'SIGTERM',
        );
        assert.match(link(parts, 'checkpoint_last'), new RegExp(`_${updates}$`));
        const resumed = await trainTiny(parts, run);
        assert.deepEqual(readMetrics(parts), readMetrics(whole));
        assert.deepEqual(numbered(parts), numbered(whole));
        for (const checkpoint of numbered(whole)) {
          const [a, b] = [whole, parts].map((folder) => readTensors(path.join(folder, checkpoint)));
          assert.ok(a[0].equals(b[0]) && a[1].equals(b[1]), checkpoint);
        }
        assert.deepEqual(withoutTimes(resumed.state), withoutTimes(end.state));
        assert.equal(link(parts, 'checkpoint_best'), link(whole, 'checkpoint_best'));
      });
    }
  });
}

describe('training', () => {
  before(() => useBackend(BACKENDS[0]));

  test('learns to copy', async () => {
    const folder = scratchFolder();
    const end = await trainTiny(folder, {
      train: { maxUpdate: 250, maxTokens: 100, labelSmoothing: 0, validateInterval: 50, saveInterval: 0 },
      model: { embedDim: 16, ffnEmbedDim: 32, dropout: 0, attentionDropout: 0, activationDropout: 0 },
      options: { train: copyTask(60), valid: copyTask(60) },
    });
    const lines = readMetrics(folder);
    const first = lines[0] as { loss: number; ppl: number };
    assert.ok(first.ppl > 8, `ppl ${first.ppl} at first`);
    assert.ok(end.state.bests[0].loss < 0.1, `validation loss ${end.state.bests[0].loss} bits`);
  });

  test('metrics: the keys of fairseq, loss in bits, one line for so many updates and one at each milestone', async () => {
    const folder = scratchFolder();
    await trainTiny(folder, {
      train: { maxUpdate: 7, logInterval: 2, maxTokens: 25, warmupUpdates: 4, lr: 0.01 },
    });
    const lines = readMetrics(folder);
    assert.deepEqual(
      lines.map(({ event, epoch, num_updates }) => `${event} ${epoch} ${num_updates}`),
      ['train 1 2', 'train 1 4', 'valid 1 4', 'train 2 6', 'train 2 7', 'valid 2 7'],
    );
    assert.deepEqual(Object.keys(lines[0]).sort(), [
      'bsz',
      'clip',
      'epoch',
      'event',
      'gnorm',
      'loss',
      'lr',
      'nll_loss',
      'num_updates',
      'ppl',
      'wpb',
    ]);
    for (const line of lines as { loss: number; nll_loss: number; ppl: number }[]) {
      assert.ok(Math.abs(line.ppl - 2 ** line.nll_loss) < 1e-9 * line.ppl);
    }
    const [train, second, valid] = lines as Record<string, number>[];
    assert.ok(Math.abs(train.lr - (1e-7 + (0.01 - 1e-7) / 4)) < 1e-12, 'of the last update of the line');
    assert.equal((train.wpb + second.wpb) / 2, 21.5); // 86 tokens in the 4 batches of an epoch
    assert.deepEqual(Object.keys(valid).sort(), [
      'best_loss',
      'epoch',
      'event',
      'loss',
      'nll_loss',
      'num_updates',
      'ppl',
    ]);
    const uniform = Math.log2(16);
    assert.ok(train.loss > uniform / 2 && train.loss < 2 * uniform, `${train.loss} bits, 4 are chance`);
  });

  test('keeps the last checkpoints and those that the links point at', async () => {
    const folder = scratchFolder();
    const end = await trainTiny(folder, {
      train: {
        maxUpdate: 12,
        saveIntervalUpdates: 2,
        validateInterval: 0,
        validateIntervalUpdates: 4,
        keepLast: 2,
      },
    });
    assert.equal(link(folder, 'checkpoint_last').split('_')[2], '12');
    const best = link(folder, 'checkpoint_best');
    assert.equal(best, `checkpoint_${end.state.bests[0].epoch}_${end.state.bests[0].updates}`);
    const kept = numbered(folder)
      .map((name) => Number(name.split('_')[2]))
      .sort((a, b) => a - b);
    assert.deepEqual(
      kept,
      [...new Set([end.state.bests[0].updates, 10, 12])].sort((a, b) => a - b),
    );
    assert.ok(!fs.readdirSync(folder).some((name) => name.includes('.tmp')));
  });

  test('with save intervals of 0 only the last and the best checkpoint stay', async () => {
    const folder = scratchFolder();
    await trainTiny(folder, {
      train: { maxUpdate: 10, saveInterval: 0, validateIntervalUpdates: 2, keepLast: 5 },
    });
    assert.deepEqual(
      numbered(folder).sort(),
      [...new Set([link(folder, 'checkpoint_last'), link(folder, 'checkpoint_best')])].sort(),
    );
  });

  test('stops: updates, epochs, time, patience, learning rate; each says so', async () => {
    const reasonOf = async (train: TinyRun['train']) => (await trainTiny(scratchFolder(), { train })).reason;
    assert.match(await reasonOf({ maxUpdate: 2 }), /max-update 2/);
    assert.match(await reasonOf({ maxEpoch: 1 }), /max-epoch 1/);
    assert.match(await reasonOf({ stopTime: 1e-9 }), /stop-time/);
    await assert.rejects(
      trainTiny(scratchFolder(), { train: { maxUpdate: 20 }, options: { stopAfter: 1e-9 } }),
      (error) => error instanceof InterruptedError && error.signal === 'SIGTERM',
    );
    assert.match(
      await reasonOf({ lr: 0.01, minLr: 0.005, lrScheduler: 'inverse-sqrt', warmupUpdates: 0 }),
      /min-lr/,
    );
    // So large a step that validation soon gets worse.
    const patience = { patience: 2, lr: 0.5, validateIntervalUpdates: 1, maxUpdate: 200 };
    assert.match(await reasonOf(patience), /2 validations .*patience/);
  });

  test('max-epoch ends after whole epochs, and a larger one goes on', async () => {
    const folder = scratchFolder();
    const first = await trainTiny(folder, { train: { maxEpoch: 1 } });
    const perEpoch = first.state.updates;
    assert.equal(first.state.epoch, 1);
    const again = await trainTiny(folder, { train: { maxEpoch: 1 } });
    assert.equal(again.state.updates, perEpoch);
    const second = await trainTiny(folder, { train: { maxEpoch: 3 } });
    assert.deepEqual([second.state.updates, second.state.epoch], [3 * perEpoch, 3]);
    const whole = scratchFolder();
    await trainTiny(whole, { train: { maxEpoch: 3 } });
    assert.deepEqual(readMetrics(folder), readMetrics(whole));
  });

  test('a run that diverges is stopped, with and without the doctor, and leaves the last good checkpoint', async () => {
    const folder = scratchFolder();
    await trainTiny(folder, { train: { maxUpdate: 2 } });
    const good = readTensors(path.join(folder, 'checkpoint_last'));
    await assert.rejects(
      trainTiny(folder, { train: { maxUpdate: 20, lr: 1e38, optimizer: 'adam' } }),
      (error) => error instanceof DivergenceError && /diverged.*10 updates in a row/.test(error.message),
    );
    const undoctored = { maxUpdate: 20, lr: 1e38, optimizer: 'adam', doctor: false } as const;
    await assert.rejects(
      trainTiny(folder, { train: undoctored }),
      (error) => error instanceof DivergenceError && /diverged.*up to update [3-6] is/.test(error.message),
    );
    assert.match(link(folder, 'checkpoint_last'), /_2$/);
    assert.deepEqual(readTensors(path.join(folder, 'checkpoint_last')), good);
  });

  test('without a validation split nothing is validated and no checkpoint is the best', async () => {
    const folder = scratchFolder();
    const end = await trainTiny(folder, { train: { maxUpdate: 3 }, options: { valid: null } });
    assert.deepEqual(end.state.bests, []);
    assert.ok(!fs.existsSync(path.join(folder, 'checkpoint_best')));
    assert.ok(readMetrics(folder).every(({ event }) => event === 'train'));
  });

  test('pairs that are too long are skipped with one warning; none left is refused', async (t) => {
    const lines: string[] = [];
    t.mock.method(process.stderr, 'write', (text: string) => lines.push(text) > 0);
    await trainTiny(scratchFolder(), { train: { maxUpdate: 8, maxTokens: 5 } });
    t.mock.restoreAll();
    const warnings = lines.filter((line) => line.includes('skipped'));
    assert.equal(warnings.length, 2, 'one for each split');
    assert.match(
      warnings[0],
      /skipped 6 of 20 train pairs .* 5 tokens \(train\.max-tokens\): 4, 5, 10, 11, 16, …/,
    );
    await assert.rejects(
      trainTiny(scratchFolder(), { train: { maxTokens: 1 } }),
      (error) => error instanceof UserError && /train\.max-tokens/.test(error.message),
    );
    await assert.rejects(
      trainTiny(scratchFolder(), { model: { maxPositions: 1 } }),
      (error) => error instanceof UserError && /model\.max-positions/.test(error.message),
    );
  });

  test('leaves no tensors behind', async () => {
    const folder = scratchFolder();
    assert.equal(await tensorsLeft(() => trainTiny(folder, { train: { maxUpdate: 5 } })), 0);
    assert.equal(await tensorsLeft(() => trainTiny(folder, { train: { maxUpdate: 9 } })), 0);
  });
});

describe('validation by translation', () => {
  before(() => useBackend(BACKENDS[0]));
  const scores = [3, 9, 7, 8].map((bleu) => ({ bleu, chrf: 2 * bleu, samples: [] }));
  const run = (evalBleu: boolean): TinyRun => ({
    train: {
      maxUpdate: 8,
      validateIntervalUpdates: 2,
      evalBleu,
      bestCheckpointMetric: evalBleu ? 'bleu' : 'loss',
    },
  });

  test('chooses the best by score, writes the scores, and changes no bit of the training', async () => {
    const [plain, scored] = [scratchFolder(), scratchFolder()];
    await trainTiny(plain, run(false));
    let next = 0;
    await trainTiny(scored, { ...run(true), options: { translate: async () => scores[next++] } });
    assert.equal(next, 4);
    assert.match(link(scored, 'checkpoint_best'), /_4$/);
    const lines = readMetrics(scored).filter(({ event }) => event === 'valid');
    assert.deepEqual(
      lines.map(({ bleu, chrf }) => [bleu, chrf]),
      scores.map(({ bleu, chrf }) => [bleu, chrf]),
    );
    const [a, b] = [plain, scored].map((folder) => readTensors(path.join(folder, 'checkpoint_last')));
    assert.ok(a[0].equals(b[0]) && a[1].equals(b[1]));
  });

  test('patience counts by the score', async () => {
    const folder = scratchFolder();
    let next = 0;
    const options = { translate: async () => scores[next++] };
    const end = await trainTiny(folder, {
      train: { ...run(true).train, maxUpdate: 20, patience: 2 },
      options,
    });
    assert.match(end.reason, /the validation bleu did not improve in 2 validations/);
  });
});

test('tensorboard: event files with every figure of the metrics', async () => {
  await useBackend(BACKENDS[0]);
  const folder = scratchFolder();
  await trainTiny(folder, { train: { maxUpdate: 2, tensorboard: true } });
  const [file] = fs.readdirSync(path.join(folder, 'tensorboard'));
  const events = readEventFile(path.join(folder, 'tensorboard', file));
  const tags = events.flatMap(({ scalars }) => [...(scalars?.keys() ?? [])]);
  assert.ok(tags.includes('train/loss') && tags.includes('valid/ppl'), tags.join());
});

describe('a disk that refuses', () => {
  before(() => useBackend(BACKENDS[0]));

  test('does not end training; the checkpoint before stays, and saving is tried again', async () => {
    const folder = path.join(scratchFolder(), 'run');
    const away = `${folder}-away`;
    fs.mkdirSync(folder);
    let asked = 0;
    // Before the fourth update the folder goes away, as where a network fails; before the seventh it is back.
    const interrupted = (): undefined => {
      asked++;
      if (asked === 4) {
        fs.renameSync(folder, away);
        fs.writeFileSync(folder, '');
      } else if (asked === 7) {
        fs.rmSync(folder);
        fs.renameSync(away, folder);
      }
    };
    const train = { maxUpdate: 9, maxTokens: 25, saveIntervalUpdates: 1, keepLast: 0, validateInterval: 0 };
    const run: TinyRun = { train, options: { retryAfter: 0, interrupted, write: undefined } }; // in a thread each
    await trainTiny(folder, run);
    const there = numbered(folder).map((name) => Number(name.split('_')[2]));
    for (const updates of [1, 2, 7, 8, 9]) assert.ok(there.includes(updates), `${there} with ${updates}`);
    for (const updates of [4, 5]) assert.ok(!there.includes(updates), `${there} without ${updates}`);
    assert.match(link(folder, 'checkpoint_last'), /_9$/);
    const whole = scratchFolder();
    await trainTiny(whole, { train });
    assert.deepEqual(readMetrics(folder), readMetrics(whole), 'the lines that had to wait are there');
  });

  test('after the last validation it is validated again, and stands in the metrics once', async () => {
    const [folder, whole] = [scratchFolder(), scratchFolder()];
    const intervals = { saveIntervalUpdates: 2, validateIntervalUpdates: 3, validateInterval: 0 };
    const train = { ...intervals, maxUpdate: 4, logInterval: 3, keepBest: 2 };
    let jobs = 0; // after updates 2, 3 and 4, and 4 again when it was validated
    const write: WriteJob = async (job, values) =>
      ++jobs > 3 ? { message: 'full', refused: true } : await writeWarm(job, values);
    await assert.rejects(trainTiny(folder, { train, options: { write } }), UserError);
    assert.deepEqual([jobs, link(folder, 'checkpoint_last').split('_')[2]], [4, '4']);
    await trainTiny(folder, { train });
    await trainTiny(whole, { train });
    assert.deepEqual(readMetrics(folder), readMetrics(whole));
  });

  test('ends in an error where the last checkpoint cannot be written', async () => {
    const folder = path.join(scratchFolder(), 'run');
    fs.mkdirSync(folder);
    let asked = 0;
    const interrupted = (): undefined => {
      if (++asked < 2) return;
      fs.rmSync(folder, { recursive: true });
      fs.writeFileSync(folder, '');
    };
    await assert.rejects(
      trainTiny(folder, {
        train: { maxUpdate: 2, validateInterval: 0 },
        options: { interrupted, write: undefined },
      }),
      (error) => error instanceof UserError && /last checkpoint could not be written/.test(error.message),
    );
  });
});

describe('moving averages of the weights', () => {
  before(() => useBackend(BACKENDS[0]));
  const train = { maxUpdate: 6, saveIntervalUpdates: 2, keepLast: 0, emaDecay: 0.9 };

  test('change no bit of the training, are resumed exactly, and can be what is validated', async () => {
    const [plain, whole, parts] = [scratchFolder(), scratchFolder(), scratchFolder()];
    const { emaDecay: _, ...without } = train;
    await trainTiny(plain, { train: without });
    await trainTiny(whole, { train: { ...train, validateWeights: 'ema' } });
    await assert.rejects(
      trainTiny(parts, {
        train: { ...train, validateWeights: 'ema' },
        options: { interrupted: signalAfter(3) },
      }),
      InterruptedError,
    );
    await trainTiny(parts, { train: { ...train, validateWeights: 'ema' } });
    const last = (folder: string): string => path.join(folder, 'checkpoint_last');
    const ema = (folder: string): Buffer => fs.readFileSync(path.join(last(folder), 'ema.safetensors'));
    assert.deepEqual(readTensors(last(whole)), readTensors(last(plain)));
    assert.ok(ema(parts).equals(ema(whole)));
    assert.ok(!ema(whole).equals(readTensors(last(whole))[0]));
    const valid = (folder: string): unknown => readMetrics(folder).filter(({ event }) => event === 'valid');
    assert.deepEqual(valid(parts), valid(whole));
    assert.notDeepEqual(valid(whole), valid(plain));
  });
});

describe('averages at the end', () => {
  before(() => useBackend(BACKENDS[0]));

  test('are the mean of the last and of the best, scored; made once', async () => {
    const folder = scratchFolder();
    const train = {
      maxUpdate: 6,
      validateIntervalUpdates: 2,
      saveIntervalUpdates: 2,
      keepLast: 3,
      keepBest: 2,
      averageLast: 3,
      averageBest: 2,
    };
    const { averages, state } = await trainTiny(folder, { train });
    assert.deepEqual(
      averages.map(({ folder: place, count }) => [path.basename(place), count]),
      [
        ['checkpoint_average_last', 3],
        ['checkpoint_average_best', 2],
      ],
    );
    const mean = path.join(folder, 'checkpoint_average_best', 'model.safetensors');
    const members = state.bests.map(({ epoch, updates }) =>
      path.join(folder, `checkpoint_${epoch}_${updates}`),
    );
    const values = [mean, ...members.map((member) => path.join(member, 'model.safetensors'))].map((file) =>
      [...readSafetensors(file).tensors.values()].flatMap(({ data }) => [...data]),
    );
    values[0].forEach((value, i) => {
      assert.equal(value, Math.fround((values[1][i] + values[2][i]) / 2));
    });
    const before = fs.statSync(mean).mtimeMs;
    const again = await trainTiny(folder, { train });
    assert.equal(fs.statSync(mean).mtimeMs, before);
    assert.deepEqual(again.averages, averages);
    assert.ok(averages.every(({ figures }) => figures !== null && figures.loss > 0));
  });
});

describe('milestones', () => {
  before(() => useBackend(BACKENDS[0]));

  test('keep-best keeps so many of the best, by any metric', async () => {
    const folder = scratchFolder();
    const scores = [3, 9, 7, 8, 1].map((bleu) => ({ bleu, chrf: 2 * bleu, samples: [] }));
    let next = 0;
    const end = await trainTiny(folder, {
      train: {
        maxUpdate: 5,
        validateIntervalUpdates: 1,
        validateInterval: 0,
        saveInterval: 0,
        keepLast: 1,
        keepBest: 3,
        evalBleu: true,
        bestCheckpointMetric: 'chrf',
      },
      options: { translate: async () => scores[next++] },
    });
    assert.deepEqual(
      end.state.bests.map(({ updates }) => updates),
      [2, 4, 3],
    );
    const there = numbered(folder).map((name) => Number(name.split('_')[2]));
    assert.deepEqual(there.sort(), [2, 3, 4, 5]);
    assert.match(link(folder, 'checkpoint_best'), /_2$/);
  });

  test('validate-first, and validation and checkpoints by the minute', async () => {
    const folder = scratchFolder();
    const run: TinyRun = {
      train: {
        maxUpdate: 3,
        validateFirst: true,
        validateIntervalMinutes: 1e-9,
        saveInterval: 0,
        keepLast: 0,
      },
    };
    await trainTiny(folder, run);
    const valid = readMetrics(folder).filter(({ event }) => event === 'valid');
    assert.deepEqual(
      valid.map(({ num_updates }) => num_updates),
      [0, 1, 2, 3],
    );
    const saved = scratchFolder();
    await trainTiny(saved, {
      train: { maxUpdate: 3, validateInterval: 0, saveIntervalMinutes: 1e-9, saveInterval: 0, keepLast: 0 },
    });
    assert.equal(numbered(saved).length, 3);
  });
});
