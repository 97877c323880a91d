import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { sha256 } from '../src/common/files.js';
import {
  fixtures,
  keptCases,
  keptOptions,
  keptText,
  type Outcome,
  PREFIX,
  probes,
  type Recorded,
  recordedFile,
  small,
  spmOptions,
  trainedCases,
} from '../test/tokenizer/recorded.js';
import { spmDecode, spmEncode, spmMissing, spmTrain } from '../test/tokenizer/spm.js';

/**
 * Records what SentencePiece 0.1.97 (Debian 12: `apt install sentencepiece`) makes of text that we make ourselves:
 *
 *     npm run build && node dist/scripts/record-tokenizer-fixtures.js
 */

const missing = spmMissing();
if (missing !== undefined) throw new Error(missing);
const folder = fs.mkdtempSync(path.join(tmpdir(), 'record-tokenizer-'));
try {
  const limits = { most: refusedSize(100_000, /value <= (\d+)/), least: refusedSize(10, /10 vs (\d+)/) };
  const recorded: Recorded = { sentencepiece: '0.1.97', trained: {}, kept: {}, limits };
  for (const [name, trained] of Object.entries(trainedCases(limits.most))) {
    const model = spmTrain(folder, trained.texts, PREFIX, ...spmOptions(trained));
    recorded.trained[name] = { model: sha256(model), ...outcome() };
  }
  for (const [name, options] of Object.entries(keptCases)) {
    const model = spmTrain(folder, { 'text.txt': keptText }, PREFIX, ...keptOptions, ...options);
    fs.writeFileSync(path.join(fixtures, `${name}.model`), model);
    recorded.kept[name] = outcome();
  }
  fs.writeFileSync(recordedFile, `${JSON.stringify(recorded, null, 1)}\n`);
} finally {
  fs.rmSync(folder, { recursive: true });
}

/** What the model that was just trained makes of the probes. */
function outcome(): Outcome {
  const model = path.join(folder, `${PREFIX}.model`);
  const ids = spmEncode(model, probes, 'id');
  const hash = (lines: readonly string[]): string => sha256(lines.join('\n'));
  return {
    ids: hash(ids),
    pieces: hash(spmEncode(model, probes, 'piece')),
    decoded: hash(spmDecode(model, ids)),
    first: ids.slice(0, 3),
  };
}

/** The size that spm_train names when it refuses one. */
function refusedSize(size: number, pattern: RegExp): number {
  try {
    spmTrain(
      folder,
      { 'text.txt': small },
      PREFIX,
      '--model_type=bpe',
      '--character_coverage=1',
      `--vocab_size=${size}`,
    );
  } catch (error) {
    const said = pattern.exec(String((error as { stderr: Buffer }).stderr));
    if (said !== null) return Number(said[1]);
  }
  throw new Error(`spm_train did not name a limit for ${size}`);
}
