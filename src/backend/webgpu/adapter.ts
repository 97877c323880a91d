import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Gpu, GpuAdapter, GpuDevice } from './api.js';
import { lackOf, lookForDrivers } from './driver-files.js';
import { fits } from './matrix-program.js';
import type { CardFacts, DeviceFacts, MatrixUnit, NoDevice } from './protocol.js';

/** The optional package, a name that the compiler does not follow: it may be absent. */
const PACKAGE: string = 'webgpu';
/** Of the package, as package.json has it in `peerDependencies`. */
const VERSIONS = { range: '>=0.6.2 <0.7', least: [0, 6, 2], below: [0, 7, 0] } as const;
const INSTALL = `Install it beside admin-nmt: \`npm install webgpu@0.6\` (prebuilt for Linux, macOS and Windows; 51 MB).`;

/** What is asked for beyond the least that WebGPU promises, as far as the adapter has it. */
const WANTED_LIMITS = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
];
/** Half precision. */
const HALF = 'shader-f16';
/** Matrix units, and what they are programmed with; an experiment, which Dawn has to be asked for. */
const MATRICES = ['chromium-experimental-subgroup-matrix', 'subgroups', HALF];
const EXPERIMENTS = 'enable-dawn-features=allow_unsafe_apis';
/** Vendors whose matrix units are used: on Intel's they were seen to be much slower than none. */
const WITH_MATRICES = ['nvidia', 'amd', 'apple', 'mesa'];
/** Others that tell what a card is like. */
const TOLD_LIMITS = [
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
];

export class Unavailable extends Error {
  readonly why: NoDevice;

  constructor(missing: string, install: string) {
    super(missing);
    this.why = { missing, install };
  }
}

interface Package {
  create: (options: string[]) => Gpu;
  version: string;
}

/** Whether the optional package is there; it is not loaded. */
export function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    return true;
  } catch {
    return false;
  }
}

async function loadPackage(): Promise<Package> {
  let loaded: Omit<Package, 'version'>;
  try {
    loaded = await import(PACKAGE);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'ERR_MODULE_NOT_FOUND'
      ? new Unavailable(`the package ${PACKAGE} is not installed`, INSTALL)
      : new Unavailable(`the package ${PACKAGE} does not load: ${message.split('\n')[0]}`, INSTALL);
  }
  const file = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  checkVersion(version);
  return { create: loaded.create, version };
}

/** @throws Unavailable where the package is of a version that was not tried */
export function checkVersion(version: string): void {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  if (compare(parts, VERSIONS.least) < 0 || compare(parts, VERSIONS.below) >= 0)
    throw new Unavailable(`expected the package ${PACKAGE} ${VERSIONS.range}, found ${version}`, INSTALL);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const place = a.findIndex((part, i) => part !== b[i]);
  return place === -1 ? 0 : a[place] - b[place];
}

/** The adapters that WebGPU gives out, which are not all that there are: the fastest, the thriftiest, one in software. */
async function adaptersOf(gpu: Gpu): Promise<GpuAdapter[]> {
  const asked = [
    await gpu.requestAdapter({ powerPreference: 'high-performance' }),
    await gpu.requestAdapter({ powerPreference: 'low-power' }),
    await gpu.requestAdapter({ forceFallbackAdapter: true }),
  ].filter((adapter) => adapter !== null);
  const names = asked.map(nameOf);
  return asked.filter((adapter, i) => names.indexOf(nameOf(adapter)) === i);
}

const nameOf = ({ info }: GpuAdapter): string =>
  [info.vendor, info.architecture, info.device, info.description].filter((part) => part !== '').join(' ');

/** Kept as long as the process: the package ends, with what was made of it, when nobody has hold of it. */
const opened: Gpu[] = [];

async function chooseAdapter(
  { create }: Package,
  wanted: string | null,
  options: readonly string[],
): Promise<GpuAdapter> {
  const start = (more: readonly string[] = []): Gpu => {
    const gpu = create([EXPERIMENTS, ...options, ...more]);
    opened.push(gpu);
    return gpu;
  };
  const adapters = await adaptersOf(start());
  const listed = adapters.map((adapter, i) => `${i} ${nameOf(adapter)}`).join('; ');
  if (wanted === null) {
    const hardware = adapters.find(({ info }) => !info.isFallbackAdapter);
    if (hardware !== undefined) return hardware;
    if (adapters.length > 0)
      throw new Unavailable(
        `there is no graphics card, only what imitates one on the processor (${listed})`,
        `${cardWithoutDriver()}A software driver is slower than --backend native; for tests, name it: --gpu '${adapters[0].info.vendor}'.`,
      );
    throw new Unavailable(
      'there is no graphics card with a driver for Vulkan, Metal or Direct3D 12',
      driverHint(),
    );
  }
  const named =
    adapters.find((adapter, i) => wanted === String(i) || isNamed(adapter, wanted)) ??
    (await hidden(start, wanted));
  if (named !== null) return named;
  throw new Unavailable(
    `expected a graphics card of the name '${wanted}', found ${listed === '' ? 'none' : listed}`,
    listed === '' ? driverHint() : 'Name one of these by its number or a part of its name.',
  );
}

const isNamed = (adapter: GpuAdapter, wanted: string): boolean =>
  nameOf(adapter).toLowerCase().includes(wanted.toLowerCase());

/** An adapter that WebGPU gives out only to who asks for its name. */
async function hidden(start: (more: readonly string[]) => Gpu, wanted: string): Promise<GpuAdapter | null> {
  try {
    return await start([`adapter=${wanted}`]).requestAdapter({ powerPreference: 'high-performance' });
  } catch {
    return null; // the package throws where there is none
  }
}

/** What a card lacks that is here beside a driver in software; nothing where there is none. */
function cardWithoutDriver(): string {
  const files = lookForDrivers();
  if (files === null || files.cards.length === 0) return '';
  return lackOf(files)
    .map((sentence) => `${sentence} `)
    .join('');
}

/** What is seen to be missing; where nothing is, all that is needed. */
function driverHint(): string {
  const files = lookForDrivers();
  const lacking = files === null ? [] : lackOf(files);
  const needed =
    'Install the driver of the card with its Vulkan part (Linux: libvulkan1 and, for NVIDIA, libnvidia-gl-*; in containers NVIDIA_DRIVER_CAPABILITIES with `graphics`)';
  return lacking.length === 0
    ? `${needed}, or use --backend native.`
    : `${lacking.join(' ')} Or use --backend native.`;
}

/**
 * Opens a device.
 *
 * @param wanted number of the adapter, or part of its name; null for the fastest that is no software
 * @param options for Dawn
 * @throws Unavailable
 */
export async function openDevice(
  wanted: string | null,
  options: readonly string[] = [],
): Promise<{ device: GpuDevice; facts: DeviceFacts }> {
  const loaded = await loadPackage();
  const adapter = await chooseAdapter(loaded, wanted, options);
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]]));
  const half = adapter.features.has(HALF);
  const matrices = matricesOf(adapter);
  const requiredFeatures = matrices !== null ? MATRICES : half ? [HALF] : [];
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  const facts = {
    name: nameOf(adapter),
    software: adapter.info.isFallbackAdapter,
    half,
    matrices,
    limits: {
      binding: device.limits.maxStorageBufferBindingSize,
      buffer: device.limits.maxBufferSize,
      groups: device.limits.maxComputeWorkgroupsPerDimension,
      shared: device.limits.maxComputeWorkgroupStorageSize,
    },
    card: cardFacts(loaded, adapter, device, requiredFeatures),
  };
  return { device, facts };
}

/** The largest matrices of float16 with float32 sums that tiles are made of. */
export function matricesOf({ info, features }: Pick<GpuAdapter, 'info' | 'features'>): MatrixUnit | null {
  if (!WITH_MATRICES.includes(info.vendor) || !MATRICES.every((name) => features.has(name))) return null;
  const units = (info.subgroupMatrixConfigs ?? [])
    .filter(
      ({ componentType, resultComponentType }) => componentType === 'f16' && resultComponentType === 'f32',
    )
    .map(({ M, N, K }) => ({ m: M, n: N, k: K, subgroup: info.subgroupMaxSize }))
    .filter((unit) => fits('large', unit));
  return units.sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k)[0] ?? null;
}

function cardFacts(
  { version }: Package,
  { info, features, limits }: GpuAdapter,
  device: GpuDevice,
  used: readonly string[],
): CardFacts {
  const { vendor, architecture, device: model, description, subgroupMinSize, subgroupMaxSize } = info;
  const { subgroupMatrixConfigs: units = [] } = info;
  return {
    package: version,
    ...{ vendor, architecture, device: model, description },
    subgroups: [subgroupMinSize, subgroupMaxSize],
    features: [...features].sort(),
    used,
    units: units.map(
      ({ componentType, resultComponentType, M, N, K }) =>
        `${componentType} → ${resultComponentType}, ${M} × ${N} × ${K}`,
    ),
    limits: Object.fromEntries(
      [...WANTED_LIMITS, ...TOLD_LIMITS].map((name) => [
        name,
        { has: limits[name], got: device.limits[name] },
      ]),
    ),
  };
}
