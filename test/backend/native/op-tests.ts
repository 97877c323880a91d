// Runs the tests of all ops and of the native backend in this one process.
import { readdirSync } from 'node:fs';

const folders = [new URL('../../ops/', import.meta.url), new URL('./', import.meta.url)];
for (const folder of folders) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.test.js'));
  for (const file of files.sort()) {
    if (file !== 'instruction-sets.test.js') await import(new URL(file, folder).href);
  }
}
