// Gets a graphics card in software for the tests of the WebGPU backend: SwiftShader, out of Chromium as Debian packages
// it, unpacked into a folder. Nothing is installed. Where that cannot be, those tests are skipped.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './install.mjs';

const FILES = ['libvk_swiftshader.so', 'vk_swiftshader_icd.json'];
/** Where test/ops/backends.ts looks for it. */
const folder = path.join(root, '.software-gpu');

const isIn = (place) => FILES.every((file) => existsSync(path.join(place, file)));

function take(place) {
  if (!isIn(place)) throw new Error(`${place} has no ${FILES.join(' and ')}`);
  mkdirSync(folder, { recursive: true });
  for (const file of FILES) copyFileSync(path.join(place, file), path.join(folder, file));
}

function run(command, args, cwd) {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1));
}

/** Out of the package, which is 31 MB. */
function download() {
  const scratch = mkdtempSync(path.join(tmpdir(), 'software-gpu-'));
  try {
    run('apt-get', ['download', '-q', 'chromium-common'], scratch);
    run('sh', ['-c', 'dpkg -x chromium-common_*.deb unpacked'], scratch);
    take(path.join(scratch, 'unpacked', 'usr', 'lib', 'chromium'));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

try {
  if (!isIn(folder)) {
    if (isIn('/usr/lib/chromium')) take('/usr/lib/chromium');
    else download();
  }
  console.log(`The tests of the WebGPU backend compute with the software driver in ${folder}.`);
} catch (error) {
  console.log(`No software driver for WebGPU, its tests will be skipped: ${error.message}`);
}
