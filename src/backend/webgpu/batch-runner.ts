import {
  COMPUTE,
  type GpuBindGroup,
  type GpuBindGroupLayout,
  type GpuBuffer,
  type GpuCommandEncoder,
  type GpuComputePass,
  type GpuDevice,
  type GpuPipeline,
  USAGE,
} from './api.js';
import {
  type Access,
  BATCH_DISPATCHES,
  type Batch,
  Command,
  type PipelineSource,
  UNIFORM_STRIDE,
} from './protocol.js';

/** A buffer, or some bytes of one. */
interface Part {
  buffer: GpuBuffer;
  offset: number;
  /** Absent for all of it. */
  size?: number;
}

/** Buffers that are bound together. */
interface Bound {
  ids: Float64Array;
  group: GpuBindGroup;
}

interface Program {
  pipeline: GpuPipeline;
  layout: GpuBindGroupLayout;
  indices: boolean;
  /** By a hash of the ids of the buffers: of two that share one, the later is kept. */
  groups: Map<number, Bound>;
}

/** Most bind groups that are kept for a program: batches of many shapes bring ever new combinations of buffers. */
const MOST_GROUPS = 1024;
/** Ints of the arena of indices at first. */
const FIRST_INDICES = 1 << 16;

/** Does what batches say on a device: it holds the buffers, the programs and what binds them together. */
export class BatchRunner {
  private readonly device: GpuDevice;
  private readonly buffers = new Map<number, Part>();
  private readonly programs = new Map<number, Program>();
  private readonly layouts = new Map<string, GpuBindGroupLayout>();
  private readonly uniforms: GpuBuffer;
  private indices: GpuBuffer;
  private indexCapacity = FIRST_INDICES;
  /** Where the uniforms of a dispatch start. */
  private readonly start = new Uint32Array(1);

  constructor(device: GpuDevice) {
    this.device = device;
    const size = BATCH_DISPATCHES * UNIFORM_STRIDE;
    this.uniforms = device.createBuffer({ size, usage: USAGE.uniform | USAGE.copyTarget });
    this.indices = this.makeIndices();
  }

  /** Where a buffer, or a part of one, lies. */
  partOf(id: number): Part {
    return this.buffers.get(id)!;
  }

  run({ commands, written, uniforms, indices, pipelines }: Batch): void {
    const { device } = this;
    for (const source of pipelines) this.programs.set(source.id, this.compile(source));
    if (uniforms.length > 0) device.queue.writeBuffer(this.uniforms, 0, uniforms);
    if (indices.length > this.indexCapacity) {
      while (this.indexCapacity < indices.length) this.indexCapacity *= 2;
      this.indices.destroy(); // once what was submitted has been done
      this.indices = this.makeIndices();
      for (const program of this.programs.values()) if (program.indices) program.groups.clear();
    }
    if (indices.length > 0) device.queue.writeBuffer(this.indices, 0, indices);
    const encoder = device.createCommandEncoder();
    const gone = this.execute(commands, written, encoder);
    device.queue.submit([encoder.finish()]);
    if (gone.size > 0) this.destroy(gone);
  }

  /** @returns the buffers to destroy once all is submitted */
  private execute(
    commands: Float64Array,
    written: Uint8Array<ArrayBuffer>,
    encoder: GpuCommandEncoder,
  ): ReadonlySet<number> {
    const gone = new Set<number>();
    let pass: GpuComputePass | null = null;
    let last: Program | null = null;
    for (let i = 0; i < commands.length; ) {
      const id = commands[i + 1];
      if (commands[i] === Command.dispatch) {
        const program = this.programs.get(id)!;
        pass ??= encoder.beginComputePass();
        if (program !== last) pass.setPipeline(program.pipeline);
        last = program;
        const end = i + 7 + commands[i + 6];
        this.start[0] = commands[i + 2];
        pass.setBindGroup(0, this.groupOf(program, commands, i + 7, end), this.start, 0, 1);
        pass.dispatchWorkgroups(commands[i + 3], commands[i + 4], commands[i + 5]);
        i = end;
      } else if (commands[i] === Command.write) {
        const data = written.subarray(commands[i + 2], commands[i + 2] + commands[i + 3]);
        const { buffer, offset } = this.partOf(id);
        this.device.queue.writeBuffer(buffer, offset, data);
        i += 4;
      } else if (commands[i] === Command.create) {
        const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
        this.buffers.set(id, {
          buffer: this.device.createBuffer({ size: commands[i + 2], usage }),
          offset: 0,
        });
        i += 3;
      } else if (commands[i] === Command.view) {
        const [base, offset, size] = commands.subarray(i + 2, i + 5);
        this.buffers.set(id, { buffer: this.partOf(base).buffer, offset, size });
        i += 5;
      } else if (commands[i] === Command.copy) {
        pass?.end();
        pass = last = null;
        const [from, to] = [this.partOf(id), this.partOf(commands[i + 2])];
        encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, commands[i + 3]);
        i += 4;
      } else {
        gone.add(id);
        i += 2;
      }
    }
    pass?.end();
    return gone;
  }

  /** What binds the buffers whose ids are `commands[first … end)`; nothing is made where they were bound before. */
  private groupOf(program: Program, commands: Float64Array, first: number, end: number): GpuBindGroup {
    let hash = 0;
    for (let i = first; i < end; i++) hash = Math.imul(hash ^ commands[i], 0x01000193);
    const known = program.groups.get(hash);
    if (known !== undefined && isAt(known.ids, commands, first)) return known.group;
    const ids = commands.slice(first, end);
    const resources: object[] = [
      ...Array.from(ids, (id) => this.partOf(id)),
      { buffer: this.uniforms, offset: 0, size: UNIFORM_STRIDE },
      ...(program.indices ? [{ buffer: this.indices }] : []),
    ];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    const group = this.device.createBindGroup({ layout: program.layout, entries });
    if (program.groups.size >= MOST_GROUPS) program.groups.clear();
    program.groups.set(hash, { ids, group });
    return group;
  }

  private destroy(gone: ReadonlySet<number>): void {
    for (const id of gone) {
      const { buffer, size } = this.partOf(id);
      if (size === undefined) buffer.destroy();
      this.buffers.delete(id);
    }
    for (const { groups } of this.programs.values()) {
      for (const [hash, { ids }] of groups) if (ids.some((id) => gone.has(id))) groups.delete(hash);
    }
  }

  private compile({ code, access, indices }: PipelineSource): Program {
    const layout = this.layoutOf(access, indices);
    const pipeline = this.device.createComputePipeline({
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: this.device.createShaderModule({ code }), entryPoint: 'main' },
    });
    return { pipeline, layout, indices, groups: new Map() };
  }

  /** Buffers, then the uniforms, then the arena of indices for those that read it: one group for a dispatch. */
  private layoutOf(access: readonly Access[], indices: boolean): GpuBindGroupLayout {
    const key = [...access, indices].join();
    let layout = this.layouts.get(key);
    if (layout === undefined) {
      const buffers: object[] = [
        ...access.map((kind) => ({ type: kind === 'read' ? 'read-only-storage' : 'storage' })),
        { type: 'uniform', hasDynamicOffset: true },
        ...(indices ? [{ type: 'read-only-storage' }] : []),
      ];
      const entries = buffers.map((buffer, binding) => ({ binding, visibility: COMPUTE, buffer }));
      layout = this.device.createBindGroupLayout({ entries });
      this.layouts.set(key, layout);
    }
    return layout;
  }

  private makeIndices(): GpuBuffer {
    return this.device.createBuffer({
      size: 4 * this.indexCapacity,
      usage: USAGE.storage | USAGE.copyTarget,
    });
  }
}

/** Whether a list stands at a place of a longer one. */
function isAt(list: Float64Array, longer: Float64Array, place: number): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] !== longer[place + i]) return false;
  return true;
}
