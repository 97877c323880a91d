// npm run quickstart: from a fresh clone to a BLEU score. Installs, builds, and runs `admin-nmt demo` from the start.
import { rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { build, root, run } from './install.mjs';

console.log('Installing and building …');
build();
rmSync(path.join(root, 'admin-nmt-demo'), { recursive: true, force: true });
run(process.execPath, ['bin/admin-nmt.js', 'demo']);
