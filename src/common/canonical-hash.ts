import { sha256 } from './files.js';

/** SHA-256 of a value as JSON with sorted keys: equal trees have equal hashes whatever the order of their keys. */
export function canonicalHash(value: unknown): string {
  return sha256(
    JSON.stringify(value, (_, node) =>
      node !== null && typeof node === 'object' && !Array.isArray(node)
        ? Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)))
        : node,
    ),
  );
}
