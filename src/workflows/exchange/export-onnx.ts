import * as path from 'node:path';
import { writeFileAtomic } from '../../common/files.js';
import { BOS, EOS, PAD, UNK } from '../../data/dictionary.js';
import { OPSET, writeOnnx } from '../../formats/onnx.js';
import { onnxGraphs } from '../../model/onnx-model.js';
import { type Exported, withoutOmega, writeDictionaries } from './exported.js';

const VERSION = 1;
/** Keys of `decode` that make the same translations of the same numbers. */
const SEARCH = ['beam', 'lenpen', 'min-len', 'max-len-a', 'max-len-b'] as const;

/** Writes a graph for the encoder and one for a step of the decoder, with what a program needs to know to use them. */
export function exportOnnx(folder: string, model: Exported): void {
  const plain = withoutOmega(model, 'ONNX Runtime');
  const graphs = onnxGraphs(plain.config, plain.weights);
  const files = { encoder: 'encoder_model.onnx', decoder: 'decoder_with_past_model.onnx' };
  writeOnnx(path.join(folder, files.encoder), graphs.encoder);
  writeOnnx(path.join(folder, files.decoder), graphs.decoder);
  const { data, decode } = model.written;
  const { decoder, embedDim, attentionHeads, maxPositions, decoderStart } = plain.config;
  const about = {
    format: 'admin-nmt/onnx',
    version: VERSION,
    opset: OPSET,
    ...files,
    'source-lang': data['source-lang'],
    'target-lang': data['target-lang'],
    clean: data.clean,
    decoder_layers: decoder.layers,
    decoder_attention_heads: attentionHeads,
    head_dim: embedDim / attentionHeads,
    max_position_embeddings: maxPositions,
    decoder_start_token_id: decoderStart === 'pad' ? PAD : EOS,
    eos_token_id: EOS,
    pad_token_id: PAD,
    unk_token_id: UNK,
    never: [BOS, PAD],
    decode: Object.fromEntries(SEARCH.map((key) => [key, decode[key]])),
  };
  writeFileAtomic(path.join(folder, 'config.json'), `${JSON.stringify(about, null, 2)}\n`);
  writeDictionaries(folder, model);
}
