import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';

/** How much memory this process may use. */
export interface AllowedMemory {
  bytes: number;
  /** What sets it, in words. */
  source: string;
}

/**
 * The least of the limits of the control groups that this process is in (version 2: `memory.max`; version 1:
 * `memory.limit_in_bytes`; those of the groups above count too) and the memory that is available on the machine, what
 * this process holds included.
 *
 * @param root of the file system, for tests
 */
export function allowedMemory(root = '/'): AllowedMemory {
  const bytes = availableMemory(root) + process.memoryUsage.rss();
  const available = { bytes, source: 'available memory' };
  const limits = groupFiles(root).flatMap((file) => {
    const limit = Number(read(file)); // 'max' is no number
    return limit > 0 ? [{ bytes: limit, source: 'the limit of the control group' }] : [];
  });
  return [available, ...limits].reduce((least, found) => (found.bytes < least.bytes ? found : least));
}

/** What the system can give to a process without swapping. */
function availableMemory(root: string): number {
  const kilobytes = /^MemAvailable:\s*(\d+) kB$/m.exec(read(path.join(root, 'proc/meminfo')) ?? '')?.[1];
  return kilobytes === undefined ? freemem() : 1024 * Number(kilobytes);
}

/** The files that hold the limits of the groups of this process and of the groups above. */
function groupFiles(root: string): string[] {
  const lines = (read(path.join(root, 'proc/self/cgroup')) ?? '').split('\n');
  return lines.flatMap((line) => {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === '') return upwards(group).map((at) => inGroups(root, at, 'memory.max'));
    if (!controllers?.split(',').includes('memory')) return [];
    return upwards(group).map((at) => inGroups(root, path.join('memory', at), 'memory.limit_in_bytes'));
  });
}

const inGroups = (root: string, group: string, file: string): string =>
  path.join(root, 'sys/fs/cgroup', group, file);

/** A group and all those above it: a container may see its own group as the topmost. */
function upwards(group: string): string[] {
  const parent = path.dirname(group);
  return parent === group ? [group] : [group, ...upwards(parent)];
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Whether a size is a share, such as `80%`. */
export const isShare = (text: string): boolean => text.trim().endsWith('%');

const UNITS = ['', 'K', 'M', 'G', 'T'];

/**
 * Bytes of `8G`, `512M` (powers of 1024) or `80%`.
 *
 * @param allowed what 100 % is
 * @returns undefined for what has not that form
 */
export function parseMemory(text: string, allowed: number): number | undefined {
  const [, digits, percent, unit] = /^(\d+(?:\.\d+)?)(?:(%)|([KMGT]?)(?:i?B)?)$/i.exec(text.trim()) ?? [];
  if (digits === undefined || Number(digits) === 0) return undefined;
  if (percent !== undefined) return Number(digits) > 100 ? undefined : (Number(digits) / 100) * allowed;
  return Math.round(Number(digits) * 1024 ** UNITS.indexOf(unit.toUpperCase()));
}

/** `1.25 GiB`, `350 MiB` or `2.1 MiB`. */
export function formatMemory(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  if (mebibytes >= 1000) return `${(mebibytes / 1024).toFixed(2)} GiB`;
  return `${mebibytes.toFixed(mebibytes < 10 ? 1 : 0)} MiB`;
}
