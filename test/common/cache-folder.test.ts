import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { cacheFolder } from '../../src/common/cache-folder.js';

test('the folder for what can be found out again, by system', () => {
  const of = (platform: NodeJS.Platform, env = {}): string =>
    cacheFolder(env, platform, '/home/me').split(path.sep).join('/');
  assert.equal(of('linux'), '/home/me/.cache/admin-nmt');
  assert.equal(of('linux', { XDG_CACHE_HOME: '/var/cache/me' }), '/var/cache/me/admin-nmt');
  assert.equal(of('linux', { XDG_CACHE_HOME: '' }), '/home/me/.cache/admin-nmt');
  assert.equal(of('darwin', { XDG_CACHE_HOME: '/x' }), '/home/me/Library/Caches/admin-nmt');
  assert.equal(of('win32'), '/home/me/AppData/Local/admin-nmt');
  assert.equal(of('win32', { LOCALAPPDATA: '/local' }), '/local/admin-nmt');
});
