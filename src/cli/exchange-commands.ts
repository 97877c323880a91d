import * as path from 'node:path';
import { type Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { DECODING_PRECISIONS, type DecodingPrecision } from '../common/precision.js';
import { loadRunConfig } from '../config/load.js';
import { addCommon, begin, type Common } from './model-commands.js';

/** The commands that bring models into other forms and other programs. */

const CHECKPOINT = 'A checkpoint of the run (default: the best, else the last).';

interface FoldFlags extends Common {
  output: string;
  checkpoint?: string;
  verify?: string;
}

/** Adds `fold`. */
export function addFold(program: Command): void {
  const command = program
    .command('fold')
    .argument('<run>', 'The run directory of train, or a checkpoint in it.')
    .description('Admin model → plain Post-LN model of the same function, ω folded into its weights.')
    .requiredOption('-o, --output <folder>', 'The run directory to write.')
    .option('--checkpoint <name>', CHECKPOINT)
    .option('--verify <file>', 'Text to compare both models on (default: the validation split).');
  const settings = addCommon(command, ['backend', 'gpu', 'threads', 'decode']);
  command.action(async (run: string, options: FoldFlags) => {
    const loaded = begin(options, () => loadRunConfig(run, { sets: settings }));
    if (loaded === undefined) return;
    const { fold } = await import('../workflows/exchange/fold.js');
    const { output, checkpoint, verify } = options;
    const { written } = loadRunConfig(run); // the flags are for comparing, not for the new run
    await fold(run, { config: loaded.config, written, output, checkpoint, verify });
  });
}

/** What `export` writes. */
const FORMATS = ['safetensors', 'fairseq', 'ctranslate2', 'onnx', 'transformers'] as const;

interface ExportFlags {
  format?: (typeof FORMATS)[number];
  precision?: DecodingPrecision;
  output: string;
  checkpoint?: string;
  shortlist?: string;
  quiet?: boolean;
}

/** Adds `export`. */
export function addExport(program: Command): void {
  program
    .command('export')
    .argument('<run>', 'The run directory of train, or a checkpoint in it.')
    .description(
      'Model → a folder that PyTorch, the official code, CTranslate2, ONNX Runtime or transformers reads; or a smaller model to translate with.',
    )
    .addOption(new Option('-f, --format <name>', 'What to write for another program.').choices(FORMATS))
    .addOption(
      new Option('--precision <name>', 'Write a run directory to translate with, of such weights.').choices(
        DECODING_PRECISIONS,
      ),
    )
    .requiredOption('-o, --output <folder>', 'The folder to write.')
    .option('--checkpoint <name>', CHECKPOINT)
    .option('--shortlist <file>', 'For ctranslate2: a file of `admin-nmt shortlist`, written as vmap.txt.')
    .option('--quiet', 'Print warnings and errors only.')
    .action(async (run: string, { quiet, ...options }: ExportFlags) => {
      log.setQuiet(quiet === true);
      const { format, precision, ...where } = options;
      if (where.shortlist !== undefined && format !== 'ctranslate2')
        throw notWith('--shortlist', 'export --format ctranslate2', 'export');
      const loaded = loadRunConfig(run);
      if (format !== undefined && precision === undefined) {
        const { exportRun } = await import('../workflows/exchange/export.js');
        return await exportRun(run, { ...loaded, ...where, format });
      }
      if (precision === undefined || format !== undefined) throw oneOfTwo(format === undefined);
      const { exportReduced } = await import('../workflows/exchange/export-reduced.js');
      await exportReduced(run, { ...loaded, ...where, precision });
    });
}

function oneOfTwo(neither: boolean): UserError {
  return new UserError({
    problem: `expected --format or --precision, found ${neither ? 'neither' : 'both'}`,
    hint: '--format safetensors, fairseq, ctranslate2, onnx or transformers writes for other programs, --precision int8 or bfloat16 to translate with here.',
  });
}

interface ImportFlags {
  output: string;
  dataBin?: string;
  vocabs?: string[];
  tokenizers?: string[];
  sourceLang?: string;
  targetLang?: string;
  quiet?: boolean;
}

/** Adds `import`. */
export function addImport(program: Command): void {
  program
    .command('import')
    .argument(
      '<file>',
      'A checkpoint of the official code, such as checkpoint_best.pt, or a model.npz of Marian.',
    )
    .description(
      'Checkpoint of the official code, or of Marian → run directory to translate with; no code in it is run.',
    )
    .requiredOption('-o, --output <folder>', 'The run directory to write.')
    .option('--data-bin <folder>', 'For .pt: its dictionaries, dict.<lang>.txt; tokenizers, if any.')
    .option(
      '--vocabs <files...>',
      'For .npz: vocabularies of source and target, or one of both; .yml or SentencePiece models.',
    )
    .option(
      '--tokenizers <files...>',
      'For .npz: SentencePiece models of source and target, or one of both (default: vocabularies that are such).',
    )
    .option('-s, --source-lang <lang>', 'Language translated from (default: what the checkpoint says).')
    .option('-t, --target-lang <lang>', 'Language translated to (default: what the checkpoint says).')
    .option('--quiet', 'Print warnings and errors only.')
    .action(async (file: string, { quiet, ...options }: ImportFlags) => {
      log.setQuiet(quiet === true);
      const { output, dataBin, vocabs, tokenizers, sourceLang, targetLang } = options;
      if (!/\.npz(\.|$)/i.test(path.basename(file))) {
        if (dataBin === undefined) throw asksFor('--data-bin', 'a checkpoint of the official code');
        if (vocabs !== undefined || tokenizers !== undefined)
          throw notWith(vocabs === undefined ? '--tokenizers' : '--vocabs', 'a model of Marian, .npz');
        const { importCheckpoint } = await import('../workflows/exchange/import.js');
        return await importCheckpoint(file, { output, dataBin, sourceLang, targetLang });
      }
      if (dataBin !== undefined) throw notWith('--data-bin', 'a checkpoint of the official code, .pt');
      if (vocabs === undefined) throw asksFor('--vocabs', 'a model of Marian');
      if (sourceLang === undefined) throw asksFor('--source-lang', 'a model of Marian');
      if (targetLang === undefined) throw asksFor('--target-lang', 'a model of Marian');
      const { importMarian } = await import('../workflows/exchange/import-marian.js');
      await importMarian(file, { output, vocabs, tokenizers, sourceLang, targetLang });
    });
}

function asksFor(flag: string, what: string): UserError {
  return new UserError({
    problem: `expected ${flag}, found none`,
    where: 'import',
    hint: `${what[0].toUpperCase()}${what.slice(1)} does not say it: see \`admin-nmt import --help\`.`,
  });
}

function notWith(flag: string, what: string, command = 'import'): UserError {
  return new UserError({
    problem: `found ${flag}, which is for ${what}`,
    where: command,
    hint: `Leave it out: see \`admin-nmt ${command} --help\`.`,
  });
}
