import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { exitCodeOf } from '../../src/cli/exit.js';
import { runCommandLine } from '../../src/cli/program.js';
import { log } from '../../src/common/log.js';
import type { Outcome, Request } from './run-program.js';

/* The process of runProgram: runs one command line after the other. */

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-warm-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
process.on('disconnect', () => process.exit());
process.on('message', async (request: Request) => process.send!(await run(request)));

const written = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    written[name] += Buffer.from(chunk as Uint8Array).toString();
    const done = rest.at(-1);
    if (typeof done === 'function') process.nextTick(() => done());
    return true;
  };
}

async function run({ args, cwd, input, env }: Request): Promise<Outcome> {
  process.chdir(cwd);
  for (const name of Object.keys({ ...process.env, ...env })) {
    if (env[name] === undefined) delete process.env[name];
    else process.env[name] = env[name];
  }
  Object.defineProperty(process, 'stdin', { value: inputOf(input), configurable: true });
  log.setQuiet(false);
  Object.assign(written, { stdout: '', stderr: '' });
  let status = 0;
  try {
    await runCommandLine(args);
  } catch (error) {
    status = exitCodeOf(error);
  }
  process.stdout.removeAllListeners('error');
  return { status, ...written };
}

function inputOf(text: string): fs.ReadStream {
  const file = path.join(folder, 'input');
  fs.writeFileSync(file, text);
  return fs.createReadStream('', { fd: fs.openSync(file, 'r') });
}
