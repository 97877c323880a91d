/** A program that runs ONNX, as far as these tests need it. */
export interface OnnxRuntime {
  env: { wasm: { numThreads: number }; logLevel: string };
  InferenceSession: { create(file: string): Promise<OnnxSession> };
  Tensor: new (type: 'int64' | 'float32', data: BigInt64Array | Float32Array, dims: number[]) => OnnxTensor;
}

export interface OnnxTensor {
  dims: readonly number[];
  data: Float32Array;
}

export interface OnnxSession {
  inputNames: readonly string[];
  outputNames: readonly string[];
  run(feeds: Record<string, OnnxTensor>): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
}

/** ONNX Runtime for WebAssembly; undefined where it is not installed. Its types are left out, so that one can build without it. */
export async function loadOnnxRuntime(): Promise<OnnxRuntime | undefined> {
  const name: string = 'onnxruntime-web';
  try {
    const runtime = (await import(name)) as OnnxRuntime;
    runtime.env.wasm.numThreads = 1;
    runtime.env.logLevel = 'error';
    return runtime;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

export const WITHOUT_RUNTIME = 'onnxruntime-web is not installed: npm ci';

/** What `config.json` of an exported model says, as far as it is needed here. */
export interface OnnxSettings {
  decoder_layers: number;
  decoder_attention_heads: number;
  head_dim: number;
}

/** A model of two graphs, asked step by step. */
export class OnnxModel {
  private readonly runtime: OnnxRuntime;
  private readonly encoder: OnnxSession;
  private readonly decoder: OnnxSession;
  private readonly settings: OnnxSettings;
  /** Names and values of what the decoder keeps. */
  private kept: Record<string, OnnxTensor> = {};
  private mask: OnnxTensor | undefined;

  private constructor(
    runtime: OnnxRuntime,
    encoder: OnnxSession,
    decoder: OnnxSession,
    settings: OnnxSettings,
  ) {
    this.runtime = runtime;
    this.encoder = encoder;
    this.decoder = decoder;
    this.settings = settings;
  }

  static async load(
    runtime: OnnxRuntime,
    files: { encoder: string; decoder: string },
    settings: OnnxSettings,
  ): Promise<OnnxModel> {
    const { create } = runtime.InferenceSession;
    return new OnnxModel(runtime, await create(files.encoder), await create(files.decoder), settings);
  }

  /** Encodes sentences, filled up to the longest with `padding`. */
  async read(sources: readonly (readonly number[])[], padding = 1): Promise<void> {
    const longest = Math.max(...sources.map((ids) => ids.length));
    const filled = sources.map((ids) => Array.from({ length: longest }, (_, i) => ids[i] ?? padding));
    this.mask = this.int64(sources.map((ids) => filled[0].map((_, i) => Number(i < ids.length))));
    const found = await this.encoder.run({ input_ids: this.int64(filled), attention_mask: this.mask });
    const { decoder_layers, decoder_attention_heads: heads, head_dim } = this.settings;
    this.kept = {};
    for (let layer = 0; layer < decoder_layers; layer++) {
      for (const part of ['key', 'value']) {
        this.kept[`past_key_values.${layer}.encoder.${part}`] = found[`present.${layer}.encoder.${part}`];
        const nothing = [sources.length, heads, 0, head_dim];
        this.kept[`past_key_values.${layer}.decoder.${part}`] = new this.runtime.Tensor(
          'float32',
          new Float32Array(0),
          nothing,
        );
      }
    }
  }

  /** Feeds tokens to each row. @returns log-probabilities, [row][token][id] */
  async step(tokens: readonly (readonly number[])[]): Promise<Float32Array[][]> {
    const found = await this.decoder.run({
      input_ids: this.int64(tokens),
      encoder_attention_mask: this.mask!,
      ...this.kept,
    });
    for (const name of Object.keys(this.kept))
      this.kept[name] = found[name.replace('past_key_values', 'present')] ?? this.kept[name];
    const [, length, size] = found.logits.dims;
    return tokens.map((row, i) =>
      row.map((_, k) => {
        const first = (i * length + k) * size;
        return logSoftmax(found.logits.data.subarray(first, first + size));
      }),
    );
  }

  async release(): Promise<void> {
    await this.encoder.release();
    await this.decoder.release();
  }

  private int64(rows: readonly (readonly number[])[]): OnnxTensor {
    const data = BigInt64Array.from(rows.flat(), BigInt);
    return new this.runtime.Tensor('int64', data, [rows.length, rows[0].length]);
  }
}

function logSoftmax(logits: Float32Array): Float32Array {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const sum = logits.reduce((total, value) => total + Math.exp(value - most), 0);
  return logits.map((value) => value - most - Math.log(sum));
}
