import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { allowedMemory, formatMemory, parseMemory } from '../../src/common/memory-limit.js';

const GROUP_LIMIT = 'the limit of the control group';

/** A root with these files in it. */
function rootWith(files: Record<string, string>): string {
  const root = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-memory-'));
  after(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content);
  }
  return root;
}

const PLENTY = { 'proc/meminfo': 'MemTotal: 99000000 kB\nMemAvailable:   50000000 kB\n' };

test('without a limit it is what is available and what this process holds', () => {
  const { bytes, source } = allowedMemory(rootWith(PLENTY));
  assert.equal(source, 'available memory');
  const own = bytes - 1024 * 50_000_000;
  assert.ok(own > 2 ** 20 && own < 2 ** 34, `${own}`);
});

test('a control group of version 2 limits it, and so does one above', () => {
  const files = { ...PLENTY, 'proc/self/cgroup': '0::/a.slice/job\n' };
  const inJob = rootWith({ ...files, 'sys/fs/cgroup/a.slice/job/memory.max': '3000000000\n' });
  assert.deepEqual(allowedMemory(inJob), { bytes: 3_000_000_000, source: GROUP_LIMIT });
  const above = rootWith({
    ...files,
    'sys/fs/cgroup/a.slice/job/memory.max': 'max\n',
    'sys/fs/cgroup/a.slice/memory.max': '2000000000\n',
  });
  assert.deepEqual(allowedMemory(above), { bytes: 2_000_000_000, source: GROUP_LIMIT });
});

test('a control group of version 1 limits it, also where a container sees its group as the topmost', () => {
  const files = { ...PLENTY, 'proc/self/cgroup': '5:cpu,cpuacct:/x\n4:memory:/docker/0123\n0::/\n' };
  for (const folder of ['memory/docker/0123', 'memory']) {
    const root = rootWith({ ...files, [`sys/fs/cgroup/${folder}/memory.limit_in_bytes`]: '1000000000\n' });
    assert.deepEqual(allowedMemory(root), { bytes: 1_000_000_000, source: GROUP_LIMIT });
  }
  const unlimited = rootWith({
    ...files,
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
  });
  assert.equal(allowedMemory(unlimited).source, 'available memory');
});

test('sizes are read in powers of 1024, shares of what is allowed', () => {
  const read = (text: string) => parseMemory(text, 1000);
  assert.deepEqual(['8G', '512M', '1.5k', '2GiB', '3 MB', '77', '1t'].map(read), [
    ...[8 * 2 ** 30, 512 * 2 ** 20, 1536, 2 * 2 ** 30, undefined, 77, 2 ** 40],
  ]);
  assert.deepEqual(['80%', '100%', '0.5%'].map(read), [800, 1000, 5]);
  for (const wrong of ['', 'G', '-8G', '8X', '101%', '0', '0%', '8G%', 'auto', '1e9']) {
    assert.equal(read(wrong), undefined, wrong);
  }
  assert.deepEqual([1.5 * 2 ** 30, 350 * 2 ** 20, 2 ** 21].map(formatMemory), [
    ...['1.50 GiB', '350 MiB', '2.0 MiB'],
  ]);
});
