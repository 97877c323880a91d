import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Where this program keeps what can be found out again, for this user. */
export function cacheFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform = process.platform,
  home = homedir(),
): string {
  const own = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  if (platform === 'win32')
    return path.join(own('LOCALAPPDATA') ?? path.join(home, 'AppData', 'Local'), 'admin-nmt');
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'admin-nmt');
  return path.join(own('XDG_CACHE_HOME') ?? path.join(home, '.cache'), 'admin-nmt');
}
