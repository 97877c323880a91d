import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { lackOf, lookForDrivers, mayHaveCard } from '../../../src/backend/webgpu/driver-files.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-drivers-'));
after(() => rmSync(folder, { recursive: true }));
let roots = 0;

/** A root of a file system with these files. */
function rootWith(...files: (string | [name: string, text: string])[]): string {
  const root = path.join(folder, String(roots++));
  mkdirSync(root);
  for (const file of files) {
    const [name, text] = typeof file === 'string' ? [file, ''] : file;
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}

const LOADER: [string, string] = ['etc/ld.so.cache', '\0libvulkan.so.1\0'];
const NVIDIA = ['dev/nvidia0', 'dev/nvidiactl'];
const VERSION: [string, string] = [
  'proc/driver/nvidia/version',
  'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n',
];

const lack = (root: string, env: Record<string, string> = {}): string[] =>
  lackOf(lookForDrivers(root, env, 'linux')!);

test('nothing is missing where a card has its driver', () => {
  const nvidia = rootWith(LOADER, ...NVIDIA, VERSION, 'usr/share/vulkan/icd.d/nvidia_icd.json');
  assert.deepEqual(lack(nvidia), []);
  assert.equal(lookForDrivers(nvidia, {}, 'linux')?.nvidia, '580.65.06');
  const radeon = rootWith(LOADER, 'dev/dri/renderD128', 'etc/vulkan/icd.d/radeon_icd.x86_64.json');
  assert.deepEqual(lack(radeon), []);
});

const only = (found: string[], expected: RegExp): void => {
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(found[0], expected);
};

test('no card', () => {
  only(lack(rootWith(LOADER, 'dev/nvidiactl')), /^No card is visible here .*--gpus all/);
});

test('no loader of drivers', () => {
  const root = rootWith('dev/dri/renderD128', 'usr/share/vulkan/icd.d/intel_icd.json');
  only(lack(root), /^libvulkan\.so\.1 is missing: `apt install libvulkan1`/);
  const own = rootWith('libvulkan.so.1');
  assert.deepEqual(lack(root, { LD_LIBRARY_PATH: `/nowhere:${own}` }), []);
});

test("NVIDIA's driver without its graphics part: on the machine itself, and in a container", () => {
  const root = rootWith(LOADER, ...NVIDIA, VERSION, 'usr/share/vulkan/icd.d/lvp_icd.json');
  only(lack(root), /580\.65\.06 is here without its graphics part.*`apt install libnvidia-gl-580`/);
  const container = { NVIDIA_VISIBLE_DEVICES: 'all' };
  only(lack(root, container), /is not set\).*-e NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics/);
  only(lack(root, { ...container, NVIDIA_DRIVER_CAPABILITIES: 'compute,utility' }), /is compute,utility\)/);
  for (const NVIDIA_DRIVER_CAPABILITIES of ['all', 'compute,graphics'])
    only(
      lack(root, { ...container, NVIDIA_DRIVER_CAPABILITIES }),
      /libnvidia-gl-580.* on the machine that the container runs on/,
    );
});

test('no driver at all for a card of Mesa', () => {
  only(lack(rootWith(LOADER, 'dev/dri/renderD128')), /`apt install mesa-vulkan-drivers`/);
});

test('Linux within Windows: its driver is no good', () => {
  only(
    lack(rootWith(LOADER, 'dev/dxg', 'usr/share/vulkan/icd.d/lvp_icd.json')),
    /run admin-nmt under Windows itself/,
  );
});

test('drivers that the environment names and that are not there', () => {
  const root = rootWith(LOADER, 'dev/dri/renderD128', 'usr/share/vulkan/icd.d/intel_icd.json');
  for (const name of ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES'])
    only(lack(root, { [name]: '/no/such.json' }), /names files that are not there/);
});

test('a card that this user may not open', { skip: process.getuid?.() === 0 && 'root may open all' }, () => {
  const root = rootWith(LOADER, 'dev/dri/renderD128', 'usr/share/vulkan/icd.d/intel_icd.json');
  chmodSync(path.join(root, 'dev/dri/renderD128'), 0);
  only(lack(root), /may not open \/dev\/dri\/renderD128: .*usermod -aG render/);
});

test('a machine without device files has no card; other systems have to be asked', () => {
  assert.equal(mayHaveCard(rootWith('dev/dri/card0'), 'linux'), false);
  for (const file of ['dev/nvidia0', 'dev/dri/renderD128', 'dev/dxg'])
    assert.equal(mayHaveCard(rootWith(file), 'linux'), true, file);
  for (const platform of ['darwin', 'win32'] as const) {
    assert.equal(mayHaveCard(rootWith(), platform), true);
    assert.equal(lookForDrivers(rootWith(), {}, platform), null);
  }
});
