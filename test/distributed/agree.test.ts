import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { agree } from '../../src/distributed/agree.js';
import { rankOf } from './ranks-in-a-row.js';

test('ranks that have the same agree', () => {
  agree(rankOf(['a', 'b'], [{ version: '1' }, { version: '1' }]), { version: '1' });
});

test('what differs is refused with each value, its ranks and their hosts, all at once', () => {
  const values = [
    ...[
      { version: '1', data: 'x' },
      { version: '1', data: 'x' },
    ],
    ...[{ version: '2', data: 'x' }, { version: '1' }],
  ];
  assert.throws(
    () => agree(rankOf(['a', 'a', 'b', 'c'], values), {}),
    (error) =>
      error instanceof UserError &&
      error.complaints.length === 2 &&
      error.complaints[0].problem ===
        'version: expected the same on all ranks, found 1 on ranks 0, 1, 3 (a, c); 2 on rank 2 (b)' &&
      error.complaints[1].problem.endsWith('found x on ranks 0, 1, 2 (a, b); nothing on rank 3 (c)'),
  );
});
