import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** What Linux shows of graphics cards and of their drivers for Vulkan. */
export interface DriverFiles {
  /** Whether libvulkan.so.1 is there, which loads the drivers. */
  loader: boolean;
  /** Files that name drivers for Vulkan. */
  drivers: string[];
  /** Whether VK_DRIVER_FILES or VK_ICD_FILENAMES says which drivers are to be looked at. */
  named: boolean;
  /** Device files of cards. */
  cards: string[];
  /** Of these, what this user may not open. */
  closed: string[];
  /** Of NVIDIA's kernel module. */
  nvidia: string | null;
  /** NVIDIA_VISIBLE_DEVICES and NVIDIA_DRIVER_CAPABILITIES, which NVIDIA's runtime sets in containers. */
  visible: string | null;
  capabilities: string | null;
}

/** The card of Windows, as Linux within it sees it. */
const WSL = '/dev/dxg';

type Environment = Readonly<Record<string, string | undefined>>;

/** Null on other systems, whose drivers have all that is needed. @param root of the file system, for tests */
export function lookForDrivers(
  root = '/',
  env: Environment = process.env,
  platform = process.platform,
): DriverFiles | null {
  if (platform !== 'linux') return null;
  const asked = env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES;
  const cards = cardsIn(root);
  return {
    loader: hasLoader(root, env),
    drivers: asked === undefined ? driversIn(root, env) : asked.split(':').filter((file) => existsSync(file)),
    named: asked !== undefined,
    cards,
    closed: cards.filter((file) => !isOpen(path.join(root, file))),
    nvidia: /Module\s+(?:for \S+\s+)?([\d.]+)/.exec(textOf(root, 'proc/driver/nvidia/version'))?.[1] ?? null,
    visible: env.NVIDIA_VISIBLE_DEVICES ?? null,
    capabilities: env.NVIDIA_DRIVER_CAPABILITIES ?? null,
  };
}

/** Whether there may be a card: where this says no, there is no need to ask the drivers. */
export function mayHaveCard(root = '/', platform = process.platform): boolean {
  return platform !== 'linux' || cardsIn(root).length > 0;
}

/** What is missing, and how to get it; empty where nothing is seen to be. */
export function lackOf(files: DriverFiles): string[] {
  const { loader, drivers, named, cards, closed, nvidia, visible, capabilities } = files;
  const found: string[] = [];
  if (cards.length === 0)
    found.push(
      'No card is visible here (/dev/nvidia0, /dev/dri/renderD128): install its driver; start a container with `--gpus all`, or with `--device /dev/dri`.',
    );
  if (!loader)
    found.push(
      'libvulkan.so.1 is missing: `apt install libvulkan1`, `dnf install vulkan-loader` or `pacman -S vulkan-icd-loader`.',
    );
  if (cards.includes(WSL) && !drivers.some((file) => file.includes('dzn')))
    found.push(
      'This is Linux within Windows, which has no conformant driver for Vulkan: run admin-nmt under Windows itself.',
    );
  else if (named && drivers.length === 0)
    found.push('VK_DRIVER_FILES or VK_ICD_FILENAMES names files that are not there: unset it.');
  else if (cards.some((file) => file.includes('nvidia')) && !drivers.some((file) => file.includes('nvidia')))
    found.push(nvidiaPart(visible, capabilities, nvidia));
  else if (cards.length > 0 && drivers.length === 0)
    found.push(
      'There is no driver for Vulkan: `apt install mesa-vulkan-drivers`, `dnf install mesa-vulkan-drivers`, `pacman -S vulkan-radeon` or `vulkan-intel`.',
    );
  if (closed.length > 0)
    found.push(
      `This user may not open ${closed.join(', ')}: \`sudo usermod -aG render,video $USER\`, and log in again.`,
    );
  return found;
}

/** How to get the part of NVIDIA's driver that knows Vulkan. */
function nvidiaPart(visible: string | null, capabilities: string | null, version: string | null): string {
  const graphics = capabilities?.split(',').some((name) => name === 'all' || name === 'graphics') ?? false;
  if (visible !== null && !graphics)
    return `NVIDIA's driver is here without its graphics part, which has Vulkan (NVIDIA_DRIVER_CAPABILITIES is ${capabilities ?? 'not set'}): start the container with \`-e NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics\`.`;
  const branch = version?.split('.')[0] ?? 'NNN';
  const where = visible === null ? '' : ' on the machine that the container runs on';
  return `NVIDIA's driver${version === null ? '' : ` ${version}`} is here without its graphics part, which has Vulkan: \`apt install libnvidia-gl-${branch}\` (on servers \`libnvidia-gl-${branch}-server\`; Debian: \`nvidia-vulkan-icd\`)${where}.`;
}

/** Device files that a program computes through: NVIDIA's, those of Linux' own drivers, of WSL, of Mali and Adreno. */
function cardsIn(root: string): string[] {
  const names = (folder: string, name: RegExp): string[] =>
    namesIn(root, folder)
      .filter((entry) => name.test(entry))
      .map((entry) => `/${folder}/${entry}`);
  return [...names('dev', /^(nvidia\d+|dxg|mali\d+|kgsl-3d\d+)$/), ...names('dev/dri', /^renderD\d+$/)];
}

/** The cache of the dynamic linker holds the names of all libraries that it finds. */
function hasLoader(root: string, { LD_LIBRARY_PATH: folders = '' }: Environment): boolean {
  if (textOf(root, 'etc/ld.so.cache').includes('libvulkan.so.1')) return true;
  return folders
    .split(':')
    .some((folder) => folder !== '' && existsSync(path.join(folder, 'libvulkan.so.1')));
}

function driversIn(root: string, { HOME, XDG_DATA_HOME }: Environment): string[] {
  const own = XDG_DATA_HOME ?? (HOME === undefined ? undefined : path.join(HOME, '.local/share'));
  return ['usr/share', 'usr/local/share', 'etc', ...(own === undefined ? [] : [own])].flatMap((folder) => {
    const place = path.join(folder, 'vulkan/icd.d');
    return namesIn(root, place)
      .filter((name) => name.endsWith('.json'))
      .map((name) => path.join('/', place, name));
  });
}

function namesIn(root: string, folder: string): string[] {
  try {
    return readdirSync(path.join(root, folder)).sort();
  } catch {
    return [];
  }
}

function textOf(root: string, file: string): string {
  try {
    return readFileSync(path.join(root, file), 'latin1');
  } catch {
    return '';
  }
}

function isOpen(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
