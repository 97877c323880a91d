#!/usr/bin/env node
// Starts the program that `npm run build` compiled into dist/. What it says must be readable by any Node.js.
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const LEAST_NODE = 20;
const main = new URL('../dist/src/cli/main.js', import.meta.url);

if (Number(process.versions.node.split('.')[0]) < LEAST_NODE) {
  console.error(`error: admin-nmt needs Node.js ${LEAST_NODE} or later, found ${process.version}`);
  process.exit(2);
}
if (!existsSync(fileURLToPath(main))) {
  console.error('error: admin-nmt is not built yet\n  Run `npm run build` in its folder first.');
  process.exit(1);
}
await import(main.href);
