// npm run man: the manual pages, man/*.1, which npm installs with the package.
import * as path from 'node:path';
import { manualPages } from '../src/cli/manual-page.js';
import { createProgram } from '../src/cli/program.js';
import { packageRoot, packageVersion, writeFileAtomic } from '../src/common/files.js';

for (const { file, text } of manualPages(await createProgram(), packageVersion()))
  writeFileAtomic(path.join(packageRoot(), 'man', file), text);
