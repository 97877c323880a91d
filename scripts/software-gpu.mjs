// Gets a graphics card in software for the tests of the WebGPU backend, unpacked into a folder out of Debian's
// packages; nothing is installed. Where that cannot be, those tests are skipped.
//
//   node scripts/software-gpu.mjs        SwiftShader, out of Chromium's package: a weak card
//   node scripts/software-gpu.mjs mesa   llvmpipe, out of Debian 12's backports: one with half precision
//   node scripts/software-gpu.mjs sid    the same out of Debian sid: with matrix units, too, tried by hand (docs/gpu.md)
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './install.mjs';

/** Where test/ops/backends.ts looks for them. */
const folder = path.join(root, '.software-gpu');

function run(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1));
  return stdout;
}

function inScratch(work) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'software-gpu-'));
  try {
    work(scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const SWIFTSHADER = ['libvk_swiftshader.so', 'vk_swiftshader_icd.json'];
const hasSwiftShader = (place) => SWIFTSHADER.every((file) => existsSync(path.join(place, file)));

function takeSwiftShader(place) {
  if (!hasSwiftShader(place)) throw new Error(`${place} has no ${SWIFTSHADER.join(' and ')}`);
  mkdirSync(folder, { recursive: true });
  for (const file of SWIFTSHADER) copyFileSync(path.join(place, file), path.join(folder, file));
}

/** The package is 31 MB. */
function getSwiftShader() {
  if (hasSwiftShader(folder)) return;
  if (hasSwiftShader('/usr/lib/chromium')) return takeSwiftShader('/usr/lib/chromium');
  inScratch((scratch) => {
    run('apt-get', ['download', '-q', 'chromium-common'], scratch);
    run('sh', ['-c', 'dpkg -x chromium-common_*.deb unpacked'], scratch);
    takeSwiftShader(path.join(scratch, 'unpacked', 'usr', 'lib', 'chromium'));
  });
}

/** What every process has from its system, and must not have twice. */
const OF_THE_SYSTEM = /^(libc6|libgcc-s1|gcc-.*-base|libstdc\+\+6)$/;

/** Where Mesa is taken from, and which of the libraries that it needs with it. */
const MESA = {
  /** Those that the system has not, or older: 12 MB where it has a Mesa of its own, 56 MB where it has nothing. */
  mesa: {
    suites: ['bookworm', 'bookworm-backports'],
    isWanted: (name, version) => !OF_THE_SYSTEM.test(name) && !isInstalled(name, version),
  },
  /** All, since they are newer than the system's, down to its C library: 69 MB. */
  sid: { suites: ['sid'], isWanted: () => true },
};

/** apt keeps its lists (9 to 11 MB) in a folder of ours, as if nothing were installed. */
function getMesa(which) {
  const place = path.join(folder, which);
  if (existsSync(path.join(place, 'lvp_icd.json'))) return;
  const { suites, isWanted } = MESA[which];
  inScratch((scratch) => {
    const apt = aptOf(scratch, suites);
    run('apt-get', [...apt, '-q', 'update'], scratch);
    const plan = ['-t', suites.at(-1), '--no-install-recommends', '--simulate', 'install'];
    const found = run(
      'apt-get',
      [...apt, ...plan, 'mesa-vulkan-drivers', 'libvulkan1', 'libstdc++6'],
      scratch,
    );
    const wanted = [...found.matchAll(/^Inst (\S+) \((\S+) /gm)]
      .filter(([, name, version]) => isWanted(name, version))
      .map(([, name, version]) => `${name}=${version}`);
    run('apt-get', [...apt, '-q', 'download', ...wanted], scratch);
    run('sh', ['-c', 'for package in *.deb; do dpkg -x "$package" unpacked; done'], scratch);
    takeMesa(path.join(scratch, 'unpacked'), place);
  });
}

/** Where this system has its packages from. */
function mirrorOfDebian() {
  const found = run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const mirror = found.split('\n').find((address) => address.endsWith('/debian/'));
  if (mirror === undefined) throw new Error('apt has no mirror of Debian among its sources');
  return mirror;
}

/** Options under which apt knows Debian's lists alone, and keeps them here. */
function aptOf(scratch, suites) {
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const mirror = mirrorOfDebian();
  const sources = suites.map((suite) => `deb [signed-by=${keys}] ${mirror} ${suite} main\n`);
  const at = (...names) => path.join(scratch, ...names);
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(at('apt', name), { recursive: true });
  writeFileSync(at('sources.list'), sources.join(''));
  writeFileSync(at('status'), '');
  const settings = {
    'Dir::Etc::sourcelist': at('sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': at('apt'),
    'Dir::State::status': at('status'),
    'Dir::Cache': at('apt'),
    'APT::Sandbox::User': '',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function isInstalled(name, version) {
  const fields = ['db:Status-Status', 'Version'].map((field) => `\${${field}}`);
  const query = ['-W', '-f', fields.join(' '), name];
  const { status, stdout } = spawnSync('dpkg-query', query, { encoding: 'utf8' });
  if (status !== 0) return false;
  const [state, found] = stdout.split(' ');
  return (
    state === 'installed' && spawnSync('dpkg', ['--compare-versions', found, 'ge', version]).status === 0
  );
}

/** Copies the libraries into one folder, and has the description of the driver name it by its full path. */
function takeMesa(unpacked, place) {
  const libraries = ['usr/lib', 'lib'].flatMap((part) => {
    const above = path.join(unpacked, part);
    const found = existsSync(above) ? readdirSync(above).filter((name) => name.endsWith('-linux-gnu')) : [];
    return found.map((name) => path.join(above, name));
  });
  const driver = path.join(place, 'libvulkan_lvp.so');
  mkdirSync(place, { recursive: true });
  for (const source of libraries) {
    for (const name of readdirSync(source)) {
      const isOther = name.startsWith('libvulkan_') && name !== path.basename(driver);
      if (name.includes('.so') && !isOther)
        cpSync(path.join(source, name), path.join(place, name), { verbatimSymlinks: true });
    }
  }
  const described = path.join(unpacked, 'usr', 'share', 'vulkan', 'icd.d');
  const [icd] = readdirSync(described).filter((name) => name.startsWith('lvp_icd'));
  const { file_format_version, ICD } = JSON.parse(readFileSync(path.join(described, icd), 'utf8'));
  const own = { file_format_version, ICD: { ...ICD, library_path: driver } };
  writeFileSync(path.join(place, 'lvp_icd.json'), `${JSON.stringify(own, null, 1)}\n`);
}

const wanted = process.argv[2] ?? 'swiftshader';
try {
  if (wanted in MESA) getMesa(wanted);
  else getSwiftShader();
  console.log(`The tests of the WebGPU backend compute with ${wanted} in ${folder}.`);
} catch (error) {
  console.log(`No ${wanted} for the tests of the WebGPU backend, which will be skipped: ${error.message}`);
}
