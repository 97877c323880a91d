/* The part of the WebGPU API that is used, as the package `webgpu` has it: it may be absent, and so may its types. */

export interface GpuBuffer {
  mapAsync(mode: number, offset: number, size: number): Promise<void>;
  getMappedRange(offset: number, size: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

export type GpuLimits = Readonly<Record<string, number>>;

export interface GpuMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

export interface GpuAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  /** With chromium-experimental-subgroup-matrix. */
  readonly subgroupMatrixConfigs?: readonly GpuMatrixConfig[];
  /** Whether it computes on the processor. */
  readonly isFallbackAdapter: boolean;
}

export interface GpuAdapter {
  readonly info: GpuAdapterInfo;
  readonly limits: GpuLimits;
  readonly features: ReadonlySet<string>;
  requestDevice(descriptor: {
    requiredLimits: Record<string, number>;
    requiredFeatures: string[];
  }): Promise<GpuDevice>;
}

export interface Gpu {
  requestAdapter(options: {
    powerPreference?: 'high-performance' | 'low-power';
    forceFallbackAdapter?: boolean;
  }): Promise<GpuAdapter | null>;
}

export type GpuBindGroup = object;
export type GpuBindGroupLayout = object;
export type GpuPipeline = object;

export interface GpuComputePass {
  setPipeline(pipeline: GpuPipeline): void;
  /** @param offsets dynamic ones are `count` of these, from `first` on */
  setBindGroup(index: number, group: GpuBindGroup, offsets: Uint32Array, first: number, count: number): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
  end(): void;
}

export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass;
  copyBufferToBuffer(from: GpuBuffer, fromStart: number, to: GpuBuffer, toStart: number, size: number): void;
  finish(): object;
}

export interface GpuDevice {
  readonly limits: GpuLimits;
  readonly lost: Promise<{ reason: string; message: string }>;
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, start: number, data: ArrayBuffer | ArrayBufferView): void;
    submit(commands: readonly object[]): void;
  };
  addEventListener(type: 'uncapturederror', listener: (event: { error: Error }) => void): void;
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): void;
  popErrorScope(): Promise<Error | null>;
  createBuffer(descriptor: { size: number; usage: number }): GpuBuffer;
  createShaderModule(descriptor: { code: string }): object;
  createBindGroupLayout(descriptor: { entries: readonly object[] }): GpuBindGroupLayout;
  createPipelineLayout(descriptor: { bindGroupLayouts: readonly GpuBindGroupLayout[] }): object;
  createBindGroup(descriptor: { layout: GpuBindGroupLayout; entries: readonly object[] }): GpuBindGroup;
  createComputePipeline(descriptor: {
    layout: object;
    compute: { module: object; entryPoint: string };
  }): GpuPipeline;
  createCommandEncoder(): GpuCommandEncoder;
  destroy(): void;
}

/** Flags of GPUBufferUsage. */
export const USAGE = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;

/** GPUShaderStage.COMPUTE */
export const COMPUTE = 0x4;
/** GPUMapMode.READ */
export const MAP_READ = 0x1;
