import { BATCH_UNIT } from './key-facts.js';
import { configKeys } from './keys.js';

/**
 * What other toolkits (fairseq and the official code, Marian, OpenNMT-py, Sockeye, JoeyNMT) call what is called
 * otherwise here, so that who knows one of them is told our name. Spellings that are taken as they are, such as
 * fairseq's --encoder-embed-dim, stand with the flags.
 */

/** A key of the config, or an option of a command, and their names for it, without dashes in front. */
const SAME: Readonly<Record<string, string>> = {
  preset: 'task-type recipe',
  seed: 'random-seed',
  threads: 'cpu-threads num-threads nthreads num-workers workers n-threads',
  'data.source-lang': 'src src-lang lang-src source-language from',
  'data.target-lang': 'tgt trg tgt-lang trg-lang lang-tgt target-language to',
  'data.root': 'data-dir data-path',
  'data.train': 'train-sets train-src train-tgt training-data corpus train-set',
  'data.corpus-temperature': 'sampling-temperature',
  'data.valid': 'valid-sets valid-src valid-tgt dev validation validation-source validation-target valid-set',
  'data.test': 'test-sets test-set',
  'data.destdir': 'data-bin save-data prepared-data',
  'data.vocabulary-from': 'srcdict tgtdict src-vocab tgt-vocab vocab source-vocab target-vocab',
  'data.tokenizer.model': 'vocabs src-subword-model tgt-subword-model bpe-codes sentencepiece-model',
  'data.tokenizer.vocab-size':
    'dim-vocabs src-vocab-size tgt-vocab-size num-words nwordssrc nwordstgt voc-limit bpe-size',
  'data.tokenizer.joint': 'share-vocab shared-vocab joint-dictionary',
  'data.tokenizer.vocabulary-threshold': 'vocab-threshold vocabulary-min-frequency',
  'data.tokenizer.normalization-rules': 'normalization-rule-tsv',
  'data.filter.max-length': 'src-seq-length tgt-seq-length max-seq-len max-sent-length',
  'data.align-suffix': 'path-align load-alignments',
  'data.bpe-dropout': 'sentencepiece-alphas',
  'model.residual':
    'encoder-normalize-before decoder-normalize-before layer-norm pre-norm prenorm init-type transformer-preprocess transformer-postprocess',
  'model.omega.init': 'init-type',
  'model.encoder.layers': 'enc-depth enc-layers num-layers n-layers',
  'model.decoder.layers': 'dec-depth dec-layers num-layers n-layers',
  'model.embed-dim':
    'dim-emb model-dim hidden-size rnn-size word-vec-size embedding-dim num-embed transformer-model-size d-model hidden hidden-dim decoder-embed-dim',
  'model.ffn-embed-dim':
    'transformer-dim-ffn transformer-ff transformer-feed-forward-num-hidden ff-size d-ff decoder-ffn-embed-dim',
  'model.attention-heads':
    'transformer-heads heads num-heads transformer-attention-heads decoder-attention-heads',
  'model.dropout': 'transformer-dropout transformer-dropout-prepost dropout-prob hidden-dropout',
  'model.attention-dropout': 'transformer-dropout-attention transformer-dropout-attention-prob',
  'model.activation-dropout': 'transformer-dropout-ffn transformer-dropout-act',
  'model.activation-fn':
    'transformer-ffn-activation pos-ffn-activation-fn activation transformer-activation-type',
  'model.positions':
    'encoder-learned-pos decoder-learned-pos transformer-train-position-embeddings transformer-positional-embedding-type position-encoding',
  'model.max-positions': 'max-source-positions max-target-positions',
  'model.share-embeddings':
    'tied-embeddings tied-embeddings-all tied-embeddings-src share-decoder-embeddings weight-tying weight-tying-type tied-softmax',
  'model.scale-embeddings': 'no-scale-embedding',
  'train.save-dir': 'save-model model-dir checkpoint-dir output-dir',
  'train.init-from':
    'pretrained-model train-from load-model finetune-from-model init-checkpoint restore-file pretrained',
  'train.reset-scheduler': 'reset-lr-scheduler',
  'train.reset-data': 'reset-dataloader reset-iter-state',
  'train.optimizer': 'optim',
  'train.lr': 'learn-rate learning-rate initial-learning-rate',
  'train.adam-betas': 'adam-beta1 adam-beta2 optimizer-betas optimizer-params',
  'train.adam-eps': 'optimizer-epsilon adam-epsilon',
  'train.lr-scheduler':
    'decay-method scheduling scheduler learning-rate-scheduler-type learning-rate-schedule lr-decay-strategy lr-decay-inv-sqrt',
  'train.warmup-updates': 'warmup warmup-steps lr-warmup learning-rate-warmup num-warmup-steps warmup-update',
  'train.warmup-init-lr': 'lr-warmup-start-rate',
  'train.min-lr': 'stop-min-lr learning-rate-min',
  'train.guided-alignment': 'alignment-lambda guided-alignment-weight lambda-align',
  'train.label-smoothing': 'smoothing label-smooth',
  'train.max-tokens': 'batch-size mini-batch mini-batch-words mini-batch-fit max-sentences words-per-batch',
  'train.memory': 'workspace',
  'train.update-freq':
    'accum-count optimizer-delay batch-multiplier update-interval gradient-accumulation-steps accumulate-grad',
  'train.clip-norm': 'max-grad-norm clip-grad-norm clip-gradients gradient-clipping-threshold grad-clip',
  'train.max-update': 'train-steps max-steps after-batches updates max-iter',
  'train.max-epoch': 'epochs after-epochs max-num-epochs num-epochs',
  'train.stop-time': 'stop-time-hours max-seconds max-time',
  'train.patience': 'early-stopping max-num-checkpoint-not-improved',
  'train.validate-interval-updates':
    'valid-freq valid-steps validation-freq checkpoint-interval eval-steps eval-interval',
  'train.validate-first': 'validate-at-start',
  'train.save-interval-updates': 'save-freq save-checkpoint-steps save-steps',
  'train.keep-last':
    'keep-last-epochs keep-interval-updates keep-checkpoint keep-last-params save-total-limit keep-checkpoints',
  'train.keep-best': 'keep-best-checkpoints keep-best-ckpts',
  'train.best-checkpoint-metric': 'early-stopping-metric optimized-metric valid-metrics eval-metric',
  'train.eval-bleu': 'decode-and-evaluate eval-bleu-detok eval-bleu-args valid-script-path',
  'train.log-interval': 'disp-freq report-every logging-freq log-every logging-steps log-freq',
  'train.ema-decay': 'exponential-smoothing average-decay ema',
  'train.tensorboard': 'tensorboard-logdir tensorboard-log-dir',
  'train.recompute': 'gradient-checkpointing use-ckpting',
  'train.precision': 'bf16 bfloat16 fp16 half float16 memory-efficient-fp16 mixed-precision use-amp amp',
  'train.freeze': 'fixed-param-names',
  'decode.beam': 'beam-size num-beams',
  'decode.nbest': 'n-best nbest-size num-return-sequences',
  'decode.lenpen': 'normalize alpha beam-alpha length-penalty length-penalty-alpha',
  'decode.max-len-a': 'max-length-factor max-output-length max-len',
  'decode.min-len': 'min-output-length',
  'decode.unk': 'allow-unk unkpen unk-penalty ban-unk-token disable-unk suppress-unk forbid-unk',
  'decode.no-repeat-ngram-size': 'block-ngram-repeat no-repeat-ngram',
  'decode.constraints': 'lexical-constraints force-words-ids',
  'decode.diverse-beam-groups': 'num-beam-groups beam-groups diversity-groups',
  'decode.diverse-beam-strength': 'diversity-penalty diversity-rate',
  'decode.sampling': 'output-sampling do-sample random-sampling sample',
  'decode.sampling-topk': 'random-sampling-topk top-k topk',
  'decode.sampling-topp': 'random-sampling-topp top-p topp nucleus',
  'decode.temperature': 'random-sampling-temp sampling-temperature softmax-temperature',
  'decode.shortlist': 'restrict-lexicon vocab-map use-vmap',
  'decode.ensemble-average': 'ensemble-mode avg-raw-probs',
  'score.tokenize': 'sacrebleu tokenizer-bleu',
  '--input': 'src source input-file source-file src-file buffer test-source',
  '--output': 'output-file',
  '--checkpoint': 'path models model checkpoint-path ckpt ckpt-path load-path',
  '--num-update-checkpoints': 'last num-checkpoints n-checkpoints',
  '--restart': 'overwrite-output reset overwrite-model',
};

/** What there is nothing like here: their names for it, and what to do. */
const NONE: readonly (readonly [names: string, advice: string])[] = [
  [
    'fp16-init-scale fp16-scale-window fp16-scale-tolerance min-loss-scale loss-scale',
    'Under train.precision: float16 the scale of the loss starts at 128 and is found on the way, as fairseq does it by default: leave it out.',
  ],
  [
    'arch a model-type type encoder-type decoder-type encoder decoder',
    'Take a recipe (preset; admin-nmt config explain preset lists them) or give the sizes: model.encoder.layers, model.decoder.layers, model.embed-dim, model.ffn-embed-dim, model.attention-heads; model.residual is how sublayers are joined.',
  ],
  [
    'cuda use-cuda gpus gpu-ranks world-size device devices device-ids use-cpu cpu distributed-world-size ddp-backend num-gpus',
    'Training runs on the processor (threads says how many threads), in several processes where mpirun or srun starts them (docs/distributed.md), or with backend: webgpu on one graphics card (gpu says which): leave it out.',
  ],
  [
    'criterion loss cost-type loss-type',
    'The loss is cross-entropy with label smoothing (train.label-smoothing; 0 for none): leave it out.',
  ],
  ['task user-dir dataset-impl', 'There is one task, translation, and nothing to choose: leave it out.'],
  [
    'batch-type sentence-avg use-old-adam no-progress-bar log-format maxi-batch maxi-batch-sort bucket-size shuffle',
    'There is nothing to choose: batches are counted in tokens, grouped by length and shuffled by the seed. Leave it out.',
  ],
  [
    'resume continue auto-resume resume-from-checkpoint continue-training load-checkpoint',
    'train goes on where the run in train.save-dir stopped, unasked; --restart begins anew. Leave it out.',
  ],
  [
    'no-epoch-checkpoints no-save',
    'Set train.save-interval to 0: only the last and the best checkpoint are kept.',
  ],
  [
    'no-last-checkpoints',
    'The last checkpoint is what an interrupted training goes on from: it is always kept. Leave it out.',
  ],
  [
    'gen-subset',
    'translate reads text: give the source side of the test set with --input; score takes its other side.',
  ],
  [
    'ref refs reference references gold',
    'References are the arguments: admin-nmt score REFERENCE --input TRANSLATION.',
  ],
  [
    'hyp hypothesis hypotheses pred sys system predictions',
    'Translations to score are given with --input; where translate is to write them, with --output.',
  ],
  [
    'remove-bpe post-process detokenize spm-decode',
    'Translations are plain text: pieces are joined again unasked. Leave it out.',
  ],
];

/** A command, and what others call it. */
const COMMANDS: Readonly<Record<string, string>> = {
  preprocess: 'fairseq-preprocess onmt-build-vocab prepare prepare-data build-vocab binarize vocab tokenize',
  train: 'fairseq-train marian-train onmt-train fit learn finetune fine-tune resume',
  translate:
    'fairseq-generate fairseq-interactive marian-decoder onmt-translate generate interactive decode infer inference predict',
  score: 'fairseq-score evaluate eval bleu sacrebleu test validate',
  average: 'average-checkpoints avg average-models',
  export: 'convert release save',
  analyze: 'analyse analysis',
  runs: 'list ls status',
  report: 'plot dashboard tensorboard',
};

const same = invert(SAME);
const none = new Map(
  NONE.flatMap(([names, advice]) => names.split(' ').map((name) => [name, advice] as const)),
);
const commands = invert(COMMANDS);

/**
 * Our names for what others call so: keys of the config, and options of commands with their dashes.
 *
 * @param name as it was typed, with or without dashes in front; underscores count as dashes
 */
export function oursFor(name: string): readonly string[] {
  return same.get(plain(name)) ?? [];
}

/** What a number of ours is counted in, where that of others is counted in something else: to follow its name. */
export function unitNote(keys: readonly string[]): string {
  const ofBatches = keys.some((key) => configKeys.get(key)?.unit === BATCH_UNIT);
  return ofBatches ? `, in ${BATCH_UNIT}, not in sentences` : '';
}

/** What to do about a name of others that has no equal here, in a sentence. */
export function adviceFor(name: string): string | undefined {
  return none.get(plain(name));
}

/** Our commands for what others call so. */
export function commandsFor(name: string): readonly string[] {
  return commands.get(plain(name)) ?? [];
}

/** Every name of others in these tables. */
export function theirNames(): string[] {
  return [...same.keys(), ...none.keys(), ...commands.keys()];
}

function plain(name: string): string {
  return name.replace(/^-+/, '').replaceAll('_', '-').toLowerCase();
}

function invert(table: Readonly<Record<string, string>>): Map<string, string[]> {
  const inverted = new Map<string, string[]>();
  for (const [ours, names] of Object.entries(table)) {
    for (const name of names.split(' ')) inverted.set(name, [...(inverted.get(name) ?? []), ours]);
  }
  return inverted;
}
