import { ProtoWriter } from '../common/proto-writer.js';
import { PIECE_TYPES, type Piece, type PieceType } from './piece.js';
import { type ProtoField, protoFields } from './protobuf.js';

/** What a trained model says of its training. */
export interface TrainingRecord {
  readonly input: readonly string[];
  readonly modelPrefix: string;
  readonly vocabSize: number;
  readonly characterCoverage: number;
  readonly byteFallback: boolean;
  readonly controlSymbols: readonly string[];
  readonly userDefinedSymbols: readonly string[];
  /** The name of its rules, and the file that they come from where they are the user's. */
  readonly normalization: string;
  readonly rulesName: string;
  readonly charsmap: Uint8Array;
}

/** The bytes of a .model as spm_train 0.1.97 writes them. */
export function writeModel(pieces: readonly Piece[], record: TrainingRecord): Buffer {
  const model = new ProtoWriter();
  for (const piece of pieces) model.bytes(1, pieceMessage(piece));
  return model.bytes(2, trainerSpec(record)).bytes(3, normalizerSpec(record)).finish();
}

function pieceMessage({ piece, score, type }: Piece): Buffer {
  const message = new ProtoWriter().bytes(1, piece).float(2, score);
  if (type !== 'normal') message.integer(3, typeNumber(type));
  return message.finish();
}

const typeNumber = (type: PieceType): number => Object.values(PIECE_TYPES).indexOf(type) + 1;

/** The bytes of a .model in which some pieces are unused ones; all else is as it is. */
export function markUnused(bytes: Buffer, ids: ReadonlySet<number>): Buffer {
  const model = new ProtoWriter();
  let id = 0;
  for (const field of protoFields(bytes)) {
    const isPiece = field.number === 1 && field.bytes !== undefined;
    if (isPiece && ids.has(id++)) model.bytes(1, unusedPiece(field.bytes!));
    else copyField(model, field);
  }
  return model.finish();
}

function unusedPiece(message: Buffer): Buffer {
  const piece = new ProtoWriter();
  for (const field of protoFields(message)) if (field.number !== 3) copyField(piece, field);
  return piece.integer(3, typeNumber('unused')).finish();
}

function copyField(message: ProtoWriter, { number, integer, float, bytes }: ProtoField): void {
  if (bytes !== undefined) message.bytes(number, bytes);
  else if (float !== undefined) message.float(number, float);
  else message.integer(number, integer!);
}

/** Every field of TrainerSpec by number: spm_train sets them all, to its defaults where no option was given. */
function trainerSpec(record: TrainingRecord): Buffer {
  const message = new ProtoWriter();
  for (const name of record.input) message.bytes(1, name);
  const flag = (field: number, value: boolean): ProtoWriter => message.integer(field, value ? 1 : 0);
  message.bytes(2, record.modelPrefix);
  message.integer(3, 2); // model_type: BPE
  message.integer(4, record.vocabSize);
  message.integer(6, 0); // self_test_sample_size
  message.bytes(7, ''); // input_format
  message.float(10, record.characterCoverage);
  message.integer(11, 0); // input_sentence_size
  message.integer(14, 1_000_000); // seed_sentencepiece_size
  message.float(15, 0.75); // shrinking_factor
  message.integer(16, 16); // num_threads
  message.integer(17, 2); // num_sub_iterations
  message.integer(18, 4192); // max_sentence_length
  flag(19, true); // shuffle_input_sentence
  message.integer(20, 16); // max_sentencepiece_length
  flag(21, true); // split_by_unicode_script
  flag(22, true); // split_by_whitespace
  flag(23, true); // split_by_number
  flag(24, false); // treat_whitespace_as_suffix
  flag(25, false); // split_digits
  flag(26, false); // allow_whitespace_only_pieces
  for (const symbol of record.controlSymbols) message.bytes(30, symbol);
  for (const symbol of record.userDefinedSymbols) message.bytes(31, symbol);
  flag(32, true); // vocabulary_output_piece_score
  flag(33, true); // hard_vocab_limit
  flag(34, false); // use_all_vocab
  flag(35, record.byteFallback);
  message.bytes(36, ''); // required_chars
  [0, 1, 2, -1].forEach((id, i) => {
    message.integer(40 + i, id); // unk_id, bos_id, eos_id, pad_id
  });
  message.bytes(44, ' \u2047 '); // unk_surface
  ['<unk>', '<s>', '</s>', '<pad>'].forEach((piece, i) => {
    message.bytes(45 + i, piece); // unk_piece, bos_piece, eos_piece, pad_piece
  });
  flag(49, false); // train_extremely_large_corpus
  flag(50, false); // enable_differential_privacy
  message.float(51, 0); // differential_privacy_noise_level
  message.integer(52, 0); // differential_privacy_clipping_threshold
  return message.finish();
}

function normalizerSpec({ normalization, charsmap, rulesName }: TrainingRecord): Buffer {
  return new ProtoWriter()
    .bytes(1, normalization)
    .bytes(2, charsmap)
    .integer(3, 1) // add_dummy_prefix
    .integer(4, 1) // remove_extra_whitespaces
    .bytes(6, rulesName) // normalization_rule_tsv
    .finish();
}
