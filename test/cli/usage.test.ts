import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runCommandLine } from '../../src/cli/program.js';
import { UserError } from '../../src/common/errors.js';

/** What a command line is refused with. */
async function refusal(line: string): Promise<string> {
  const error = await runCommandLine(line.split(' ')).then(
    () => assert.fail(`${line}: not refused`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, `${line}: ${error}`);
  return error.message;
}

const CASES: Readonly<Record<string, readonly (readonly [line: string, message: string])[]>> = {
  'a command that there is not': [
    ['trian', "unknown command 'trian'\n  Did you mean train?"],
    ['trian --help', "unknown command 'trian'\n  Did you mean train?"],
    ['help trian', "unknown command 'trian'\n  Did you mean train?"],
    ['config help exlain', "unknown command 'exlain'\n  Did you mean explain?"],
    ['config nope', "unknown command 'nope'\n  The commands are schema, explain, print."],
    ['fairseq-train db', "unknown command 'fairseq-train'\n  Here it is train."],
    ['version', "unknown command 'version'\n  Here it is --version."],
    ['generate run', "unknown command 'generate'\n  Here it is translate."],
  ],
  'an argument too many': [
    [
      'translate run my.txt',
      "unexpected argument 'my.txt': translate takes <run> alone\n  Did you mean --input my.txt? Text to translate, plain or .gz (default: standard input).",
    ],
    [
      'translate run my.txt out.txt',
      "unexpected argument 'my.txt': translate takes <run> alone\n  Did you mean --input my.txt --output out.txt?",
    ],
    ['translate run a b c', 'takes <run> alone\n  Usage: admin-nmt translate [options] <run>'],
    [
      'average run a b',
      "unexpected argument 'a': average takes <run> alone\n  Did you mean --inputs a b? Average these checkpoints.",
    ],
    ['fold run -o x y', "unexpected argument 'y': fold takes <run> alone\n  Did you mean --output y?"],
    [
      'check a b',
      "unexpected argument 'b': check takes <folder> alone\n  Usage: admin-nmt check [options] [folder]",
    ],
    [
      'config schema x',
      "unexpected argument 'x': schema takes no argument\n  Usage: admin-nmt config schema [options]",
    ],
  ],
  'an argument or option that is missing': [
    [
      'translate',
      'expected <run>, found nothing\n  The run directory of train, or a checkpoint in it. Usage: admin-nmt translate [options] <run>',
    ],
    ['analyze omega', 'expected <target>, found nothing\n  YAML files of a config'],
    ['export run', 'expected -o, --output <folder>, found none\n  The folder to write.'],
    [
      'import x.pt -o y',
      'expected --data-bin, found none\n  A checkpoint of the official code does not say it',
    ],
    ['train --lr', "option '--lr <x>' argument missing\n  Peak learning rate."],
    [
      'train',
      'expected a config, found nothing\n  Give a YAML file (docs/config.md): admin-nmt train my.yaml; or',
    ],
    [
      'preprocess --quiet',
      'expected a config, found nothing\n  Give a YAML file (docs/config.md): admin-nmt preprocess',
    ],
  ],
  'an option that there is not': [
    ['train --max-token 3', "unknown option '--max-token'\n  Did you mean --max-tokens?"],
    ['train --warmup 3', "unknown option '--warmup'\n  Here it is --warmup-updates."],
    ['train --warmup=3', "unknown option '--warmup'\n  Here it is --warmup-updates."],
    ['train --valid-freq 5', "unknown option '--valid-freq'\n  Here it is --validate-interval-updates."],
    ['train --learning_rate 5', "unknown option '--learning_rate'\n  Here it is --lr."],
    ['train --enc-depth 6', "unknown option '--enc-depth'\n  Here it is --encoder-layers."],
    ['-v', "unknown option '-v'\n  Did you mean -V (--version)?"],
    ['train --batch-size 32', '\n  Here it is --max-tokens, in tokens of a side, not in sentences.'],
    ['train --resume', '\n  train goes on where the run in train.save-dir stopped, unasked'],
    ['score --ref a --hyp b', '\n  References are the arguments'],
    ['score --hyp b a', '\n  Translations to score are given with --input'],
    ['train --src de', "unknown option '--src'\n  Here it is --source-lang."],
    ['translate run --src de', "unknown option '--src'\n  Here it is --input."],
    ['translate run --beam-size 4', "unknown option '--beam-size'\n  Here it is --beam."],
    ['train --arch transformer', "unknown option '--arch'\n  Take a recipe"],
    [
      'train --fp16-init-scale 4',
      "unknown option '--fp16-init-scale'\n  Under train.precision: float16 the scale",
    ],
    [
      'translate run --lr 3',
      "unknown option '--lr'\n  This is train.lr of the config, which translate does not take",
    ],
    ['translate run -f json', 'Allowed choices are text, jsonl, fairseq, nbest.\n  Did you mean jsonl?'],
    ['train --zzzzzz', "unknown option '--zzzzzz'\n  Add --help to see what there is."],
  ],
  'a path that is none': [
    ['translate run --output=', 'expected a path, found an empty text for -o, --output <file>'],
    ['check ', 'expected a path, found an empty text for an argument'],
    ['score ref -i ', 'expected a path, found an empty text for -i, --input <file...>'],
    ['config print src', 'src: this is a directory, a config in YAML was expected\n  Give a config in YAML'],
    [
      'train --set train.save-dir=$HOME/run',
      "expected a path; found '$HOME/run'\n  Only a leading ~/ is filled in here",
    ],
    ['train --set train.save-dir=~root/run', 'Only a leading ~/ is filled in here'],
    ['score a -i b -l en_zh', '--language-pair: expected two languages with - between them'],
  ],
  'a number with a comma': [
    ['train --lr 1,5', "found '1,5'\n  Decimals are written with a point: 1.5"],
    ['train --max-tokens 1,000', "found '1,000'\n  Decimals"],
  ],
  'a key that there is not': [
    ['train --set data.src=de', "unknown key 'data.src'\n  Here it is 'data.source-lang'."],
    ['train --set model.num_layers=3', "\n  Here it is 'model.encoder.layers' or 'model.decoder.layers'."],
    ['train --set train.batch_size=3', "\n  Here it is 'train.max-tokens', in tokens"],
    ['train --set train.fp16=true', "\n  Here it is 'train.precision'"],
    ['config explain warmup', "unknown key 'warmup'\n  Here it is 'train.warmup-updates'."],
  ],
};

for (const [what, cases] of Object.entries(CASES)) {
  describe(what, () => {
    for (const [line, message] of cases) {
      test(line, async () => {
        const found = await refusal(line);
        assert.ok(found.includes(message), `expected\n${message}\nfound\n${found}`);
      });
    }
  });
}
