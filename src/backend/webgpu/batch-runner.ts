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

interface Program {
  pipeline: GpuPipeline;
  layout: GpuBindGroupLayout;
  indices: boolean;
  /** By the ids of the buffers. */
  groups: Map<string, GpuBindGroup>;
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
  /** Uniforms alone, and with the indices. */
  private shared: { plain: GpuBindGroup; indexed: GpuBindGroup };

  constructor(device: GpuDevice) {
    this.device = device;
    const size = BATCH_DISPATCHES * UNIFORM_STRIDE;
    this.uniforms = device.createBuffer({ size, usage: USAGE.uniform | USAGE.copyTarget });
    this.indices = this.makeIndices();
    this.shared = this.bindShared();
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
      this.shared = this.bindShared();
    }
    if (indices.length > 0) device.queue.writeBuffer(this.indices, 0, indices);
    const encoder = device.createCommandEncoder();
    const gone = this.execute(commands, written, encoder);
    device.queue.submit([encoder.finish()]);
    for (const id of gone) this.destroy(id);
  }

  /** @returns the buffers to destroy once all is submitted */
  private execute(
    commands: Float64Array,
    written: Uint8Array<ArrayBuffer>,
    encoder: GpuCommandEncoder,
  ): number[] {
    const gone: number[] = [];
    let pass: GpuComputePass | null = null;
    for (let i = 0; i < commands.length; ) {
      const id = commands[i + 1];
      if (commands[i] === Command.dispatch) {
        const count = commands[i + 6];
        const ids = commands.subarray(i + 7, i + 7 + count);
        pass ??= encoder.beginComputePass();
        this.dispatch(pass, this.programs.get(id)!, commands.subarray(i + 2, i + 6), ids);
        i += 7 + count;
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
        pass = null;
        const [from, to] = [this.partOf(id), this.partOf(commands[i + 2])];
        encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, commands[i + 3]);
        i += 4;
      } else {
        gone.push(id);
        i += 2;
      }
    }
    pass?.end();
    return gone;
  }

  private dispatch(
    pass: GpuComputePass,
    program: Program,
    [uniform, x, y, z]: Float64Array,
    ids: Float64Array,
  ): void {
    const key = ids.join();
    let group = program.groups.get(key);
    if (group === undefined) {
      const entries = Array.from(ids, (id, binding) => ({ binding, resource: this.partOf(id) }));
      group = this.device.createBindGroup({ layout: program.layout, entries });
      if (program.groups.size >= MOST_GROUPS) program.groups.clear();
      program.groups.set(key, group);
    }
    pass.setPipeline(program.pipeline);
    pass.setBindGroup(0, group);
    pass.setBindGroup(1, program.indices ? this.shared.indexed : this.shared.plain, [uniform]);
    pass.dispatchWorkgroups(x, y, z);
  }

  private destroy(id: number): void {
    const { buffer, size } = this.partOf(id);
    if (size === undefined) buffer.destroy();
    this.buffers.delete(id);
    for (const { groups } of this.programs.values()) {
      for (const key of groups.keys()) if (`,${key},`.includes(`,${id},`)) groups.delete(key);
    }
  }

  private compile({ code, access, indices }: PipelineSource): Program {
    const layout = this.layoutOf(access);
    const layouts = [layout, this.sharedLayout(indices)];
    const pipeline = this.device.createComputePipeline({
      layout: this.device.createPipelineLayout({ bindGroupLayouts: layouts }),
      compute: { module: this.device.createShaderModule({ code }), entryPoint: 'main' },
    });
    return { pipeline, layout, indices, groups: new Map() };
  }

  private layoutOf(access: readonly Access[]): GpuBindGroupLayout {
    const key = access.join();
    let layout = this.layouts.get(key);
    if (layout === undefined) {
      const entries = access.map((kind, binding) => ({
        ...{ binding, visibility: COMPUTE },
        buffer: { type: kind === 'read' ? 'read-only-storage' : 'storage' },
      }));
      layout = this.device.createBindGroupLayout({ entries });
      this.layouts.set(key, layout);
    }
    return layout;
  }

  private sharedLayout(indices: boolean): GpuBindGroupLayout {
    const key = indices ? 'indexed' : 'plain';
    let layout = this.layouts.get(key);
    if (layout === undefined) {
      const uniform = {
        binding: 0,
        visibility: COMPUTE,
        buffer: { type: 'uniform', hasDynamicOffset: true },
      };
      const arena = { binding: 1, visibility: COMPUTE, buffer: { type: 'read-only-storage' } };
      layout = this.device.createBindGroupLayout({ entries: indices ? [uniform, arena] : [uniform] });
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

  private bindShared(): { plain: GpuBindGroup; indexed: GpuBindGroup } {
    const uniform = { binding: 0, resource: { buffer: this.uniforms, offset: 0, size: UNIFORM_STRIDE } };
    const arena = { binding: 1, resource: { buffer: this.indices } };
    const bind = (indices: boolean, entries: readonly object[]) =>
      this.device.createBindGroup({ layout: this.sharedLayout(indices), entries });
    return { plain: bind(false, [uniform]), indexed: bind(true, [uniform, arena]) };
  }
}
