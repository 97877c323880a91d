/** What stands at the end of a command's help, and in its manual page. */
export interface Examples {
  /** The page in docs/. */
  readonly page: string;
  /** Command lines, each with what it does. They run one after the other, all of them, once there is a demo. */
  readonly lines: readonly (readonly [line: string, what: string])[];
}

const DEMO = 'admin-nmt-demo';
const [RUN, YAML, TEXT] = [`${DEMO}/run`, `${DEMO}/toy.yaml`, `${DEMO}/corpus`];

/** The examples of each command, in the order of the help. Files are those that `admin-nmt demo` makes. */
export const EXAMPLES: Readonly<Record<string, Examples>> = {
  demo: {
    page: 'train.md',
    lines: [
      ['admin-nmt demo', `Everything, in the folder ${DEMO}.`],
      ['admin-nmt demo --pairs 500 --seed 2 -o small', 'Text alone: 500 pairs to train on.'],
    ],
  },
  align: {
    page: 'preprocess.md',
    lines: [
      [
        `admin-nmt align -s ${TEXT}/train.toa -t ${TEXT}/train.tob -o links`,
        'For data.align-suffix and train.guided-alignment.',
      ],
    ],
  },
  preprocess: {
    page: 'preprocess.md',
    lines: [
      [`admin-nmt preprocess ${YAML}`, 'The dataset of a config.'],
      [
        `admin-nmt preprocess -s toa -t tob --trainpref ${TEXT}/train --validpref ${TEXT}/valid --vocab-size 300 --destdir bin-300`,
        'Without a config: two text files for training, two for validations.',
      ],
    ],
  },
  profile: {
    page: 'profile.md',
    lines: [
      [`admin-nmt profile ${YAML}`, 'Into the run directory, where train looks for it.'],
      [
        `admin-nmt profile ${YAML} --encoder-layers 6 --decoder-layers 6 -o profile-6`,
        'What ω a deeper model would get.',
      ],
    ],
  },
  train: {
    page: 'train.md',
    lines: [
      [`admin-nmt train ${YAML} --dry-run`, 'What it will take: time, memory, disk.'],
      [`admin-nmt train ${YAML}`, 'Trains; the same line goes on after an interruption.'],
      [
        `admin-nmt train ${YAML} --residual post-ln --lr 1e-3 --save-dir post-ln --stop-after 1h`,
        'Other settings, into another run directory; an hour at most.',
      ],
      [
        `admin-nmt train ${YAML} --init-from ${RUN} --lr 3e-4 --save-dir tuned`,
        'Fine-tunes: starts with the weights of another run.',
      ],
    ],
  },
  sweep: {
    page: 'sweep.md',
    lines: [
      [
        `admin-nmt sweep ${YAML} --grid model.residual=admin,post-ln --seeds 2 -o schemes --dry-run`,
        'The trainings that a grid comes to.',
      ],
      [
        `admin-nmt sweep ${YAML} --grid model.residual=admin,post-ln --seeds 2 -o schemes --test`,
        'The same, trained, translated and scored.',
      ],
    ],
  },
  average: {
    page: 'average.md',
    lines: [
      [`admin-nmt average ${RUN} --num-update-checkpoints 2`, 'The mean of the last two checkpoints.'],
      [`admin-nmt average ${RUN} --best 2 --output best_two`, 'Of the two that validated best.'],
    ],
  },
  shortlist: {
    page: 'translate.md',
    lines: [[`admin-nmt shortlist ${RUN}`, `Writes ${RUN}/shortlist.safetensors for translate --shortlist.`]],
  },
  translate: {
    page: 'translate.md',
    lines: [
      [`admin-nmt translate ${RUN} < ${TEXT}/test.toa > hypotheses.tob`, 'A line for each line.'],
      [
        `admin-nmt translate ${RUN} -i ${TEXT}/test.toa --nbest 3 --format jsonl -o nbest.jsonl`,
        'The three best.',
      ],
      [`admin-nmt translate ${RUN} -i ${TEXT}/test.toa --sampling --sampling-topp 0.9 --seed 7`, 'Samples.'],
      [
        `admin-nmt translate ${RUN} -i ${TEXT}/test.toa -o test.hyp --html alignment.html`,
        'A page that shows what goes with what.',
      ],
      [`admin-nmt translate ${RUN} --document -i ${TEXT}/test.toa`, 'Paragraphs, with sentences anywhere.'],
    ],
  },
  evaluate: {
    page: 'evaluate.md',
    lines: [
      [
        `admin-nmt evaluate ${RUN} -s ${TEXT}/test.toa -t ${TEXT}/test.tob --summary`,
        'The perplexity of given translations.',
      ],
      [
        `admin-nmt evaluate ${RUN} -s ${TEXT}/test.toa -t ${TEXT}/test.tob -f jsonl -o scores.jsonl`,
        'The log-probability of each token.',
      ],
    ],
  },
  rerank: {
    page: 'evaluate.md',
    lines: [
      ['admin-nmt rerank nbest.jsonl -o ranked.jsonl', 'The list, first what is most like all.'],
      ['admin-nmt rerank nbest.jsonl --mbr bleu --best > best.tob', 'The best alone, by BLEU.'],
    ],
  },
  serve: {
    page: 'serve.md',
    lines: [
      [`admin-nmt serve ${RUN}`, 'A page to type into at http://127.0.0.1:5000/.'],
      [`admin-nmt serve ${RUN} --port 8080 --beam 4`, 'Elsewhere, with a narrower beam.'],
    ],
  },
  fold: {
    page: 'export.md',
    lines: [[`admin-nmt fold ${RUN} -o folded`, 'Compares the two on the validation split.']],
  },
  export: {
    page: 'export.md',
    lines: [
      [`admin-nmt export folded -f ctranslate2 -o ctranslate2`, 'A folded model, for CTranslate2.'],
      [`admin-nmt export ${RUN} -f fairseq -o official`, 'For the official code.'],
      [`admin-nmt export ${RUN} -f onnx -o onnx`, 'For ONNX Runtime, in a browser too.'],
      [`admin-nmt export ${RUN} --precision int8 -o small-run`, 'A run directory of an eighth of the size.'],
    ],
  },
  import: {
    page: 'export.md',
    lines: [['admin-nmt import official/model.pt --data-bin official -o imported', 'Of the official code.']],
  },
  check: {
    page: 'check.md',
    lines: [
      [`admin-nmt check ${RUN}`, 'Is everything whole? Where would training go on?'],
      ['admin-nmt check --backend native', 'Does the engine compute right, and how fast?'],
    ],
  },
  score: {
    page: 'score.md',
    lines: [
      [`admin-nmt score ${TEXT}/test.tob -i hypotheses.tob -m bleu chrf ter`, 'As sacreBLEU gives them.'],
      [`admin-nmt score ${TEXT}/test.tob -i hypotheses.tob --confidence -f text`, 'With an interval.'],
      [
        `admin-nmt score ${TEXT}/test.tob -i hypotheses.tob ${DEMO}/test.hyp --paired-bs -f text`,
        'Is the second system better than the first?',
      ],
    ],
  },
  runs: {
    page: 'report.md',
    lines: [
      ['admin-nmt runs', 'Those in this folder.'],
      [`admin-nmt runs ${DEMO} --json`, 'For programs.'],
    ],
  },
  report: {
    page: 'report.md',
    lines: [
      [`admin-nmt report ${RUN} -o report.html`, 'Curves, config, ω and norms, as a page.'],
      [`admin-nmt report ${RUN} post-ln --watch`, 'Two runs, as they go on.'],
    ],
  },
  analyze: {
    page: 'analyze.md',
    lines: [
      [`admin-nmt analyze dependency ${RUN} --html dependency.html`, 'What each sublayer consists of.'],
      [
        `admin-nmt analyze dependency,gradients ${YAML} --schemes admin post-ln pre-ln --steps 2 -o schemes.json`,
        'Schemes side by side, before training.',
      ],
    ],
  },
  'config schema': {
    page: 'config.md',
    lines: [['admin-nmt config schema > schema.json', 'Editors complete and check configs by it.']],
  },
  'config explain': {
    page: 'config.md',
    lines: [
      ['admin-nmt config explain lr', 'A key.'],
      ['admin-nmt config explain model.omega', 'A section.'],
    ],
  },
  'config print': {
    page: 'config.md',
    lines: [[`admin-nmt config print ${YAML} --set train.lr=1e-3`, 'All keys, as train would have them.']],
  },
  completion: {
    page: 'completion.md',
    lines: [
      ['admin-nmt completion bash > admin-nmt.bash', 'For ~/.bashrc: source ~/admin-nmt.bash.'],
      ['admin-nmt completion zsh > _admin-nmt', 'For a folder of fpath.'],
      ['admin-nmt completion fish > admin-nmt.fish', 'For ~/.config/fish/completions.'],
    ],
  },
};

/** The end of the help of a command. @param name its words after `admin-nmt` */
export function examplesHelp(name: string): string {
  const { page, lines } = EXAMPLES[name];
  const shown = lines.map(([line, what]) => `  # ${what}\n${broken(line)}\n`);
  return `\nExamples, with the files of admin-nmt demo:\n${shown.join('')}\nMore: docs/${page}`;
}

/** Characters of a line of an example, with the two before it and the backslash behind it. */
const WIDTH = 80;

/** A command line as a shell takes it, broken before options where it is too long. */
export function broken(line: string): string {
  const rows: string[] = [];
  for (const part of line.split(/ (?=-{1,2}[a-z]|[<>] )/)) {
    const longer = `${rows.at(-1)} ${part}`;
    if (rows.length === 0) rows.push(`  ${part}`);
    else if (longer.length <= WIDTH - 2) rows[rows.length - 1] = longer;
    else rows.push(`    ${part}`);
  }
  return rows.join(' \\\n');
}
