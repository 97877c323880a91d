import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../../../src/backend/native/binding.js';
import type { Precision } from '../../../src/common/precision.js';

/** Compares the bits of many products on every instruction set of this processor, with 1, 2 and 4 threads. */
export function bitsOnEachSet(precision: Precision, t: TestContext): void {
  const isas = setsHere();
  if (isas === null) {
    t.skip('the native engine is not built');
    return;
  }
  const script = fileURLToPath(new URL('./product-bits.js', import.meta.url));
  const sum = (isa: string, threads: number): string => {
    const environment = { ...process.env, ADMIN_NMT_ISA: isa };
    const said = execFileSync(process.execPath, [script, precision, String(threads)], { env: environment });
    const [name, digest] = String(said).trim().split(' ');
    assert.equal(name, isa);
    return digest;
  };
  const expected = sum(isas[0], 1);
  for (const isa of isas) assert.equal(sum(isa, isa === isas[0] ? 4 : 2), expected, isa);
}

function setsHere(): readonly string[] | null {
  try {
    return loadAddon().isas;
  } catch {
    return null;
  }
}
