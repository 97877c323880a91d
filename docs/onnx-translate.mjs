// Translates with a model that `admin-nmt export -f onnx` wrote, word by word, with the keys and values of what came before kept.
//
//   node onnx-translate.mjs FOLDER < pieces > translations
//
// A line holds the pieces of a sentence, parted by spaces, as the tokenizer of the folder gives them; so does a line of the output.
// It needs ONNX Runtime: npm install onnxruntime-web (or onnxruntime-node, which speaks the same; then change the name below).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import * as ort from 'onnxruntime-web';

const folder = process.argv[2];
const settings = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
ort.env.wasm.numThreads = 1;
const encoder = await ort.InferenceSession.create(join(folder, settings.encoder));
const decoder = await ort.InferenceSession.create(join(folder, settings.decoder));

/** Symbols by id: four special ones, then those of the lines of a dictionary. */
function symbolsOf(language) {
  const lines = readFileSync(join(folder, `dict.${language}.txt`), 'utf8')
    .trimEnd()
    .split('\n');
  return ['<s>', '<pad>', '</s>', '<unk>', ...lines.map((line) => line.split(' ')[0])];
}

const source = new Map(symbolsOf(settings['source-lang']).map((symbol, id) => [symbol, id]));
const target = symbolsOf(settings['target-lang']);

const int64 = (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);

async function translate(ids) {
  const { eos_token_id: end, decoder_start_token_id: start, never, decode } = settings;
  const mask = int64(ids.map(() => 1));
  const read = await encoder.run({ input_ids: int64(ids), attention_mask: mask });
  const { decoder_layers, decoder_attention_heads: heads, head_dim } = settings;
  const kept = {};
  for (let layer = 0; layer < decoder_layers; layer++) {
    for (const part of ['key', 'value']) {
      const name = `${layer}.encoder.${part}`;
      kept[`past_key_values.${name}`] = read[`present.${name}`];
      const nothing = new ort.Tensor('float32', new Float32Array(0), [1, heads, 0, head_dim]);
      kept[`past_key_values.${layer}.decoder.${part}`] = nothing;
    }
  }
  const most = Math.min(
    Math.floor(decode['max-len-a'] * ids.length + decode['max-len-b']),
    settings.max_position_embeddings - 1,
  );
  const found = [];
  for (let token = start; found.length < most; found.push(token)) {
    const { logits, ...rest } = await decoder.run({
      input_ids: int64([token]),
      encoder_attention_mask: mask,
      ...kept,
    });
    for (const [name, value] of Object.entries(rest))
      kept[name.replace('present', 'past_key_values')] = value;
    for (const id of found.length < decode['min-len'] ? [...never, end] : never) logits.data[id] = -Infinity;
    token = logits.data.indexOf(logits.data.reduce((a, b) => Math.max(a, b)));
    if (token === end) break;
  }
  return found;
}

for (const line of readFileSync(process.stdin.fd, 'utf8').trimEnd().split('\n')) {
  const ids = line.split(' ').map((piece) => source.get(piece) ?? settings.unk_token_id);
  const found = await translate([...ids, settings.eos_token_id]);
  console.log(found.map((id) => target[id]).join(' '));
}
