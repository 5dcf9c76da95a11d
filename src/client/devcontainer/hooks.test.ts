/** Tests of which commands a window waits for, and of what runs on the host. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CREATION, partHooks, runOnHost } from './hooks.ts';

test('an editor waits for updateContentCommand, or for what waitFor names', () => {
  assert.deepEqual(partHooks(CREATION), {
    first: ['onCreateCommand', 'updateContentCommand'],
    rest: ['postCreateCommand', 'postStartCommand'],
  });
  assert.deepEqual(partHooks(CREATION, 'initializeCommand').first, []);
  assert.deepEqual(partHooks(CREATION, 'postStartCommand').rest, []);
  assert.deepEqual(partHooks(['postStartCommand'], 'postCreateCommand').rest, ['postStartCommand']);
  assert.deepEqual(partHooks(['postAttachCommand'], 'postStartCommand').rest, [
    'postAttachCommand',
  ]);
});

test('initializeCommand runs in each of its forms, and its failure has its name', async () => {
  const run = async (command: Parameters<typeof runOnHost>[0]): Promise<string> => {
    const stdout = new PassThrough();
    const said = text(stdout);
    const { signal } = new AbortController();
    const io = { env: {}, signal, say: () => undefined, stdout, stderr: stdout };
    try {
      await runOnHost(command, '/', io);
    } finally {
      stdout.end();
    }
    return said;
  };
  assert.equal(await run('echo "$PWD"'), '/\n');
  assert.equal(await run(['echo', '$PWD']), '$PWD\n');
  assert.deepEqual((await run({ a: 'echo 1', b: ['echo', '2'] })).split('\n').sort(), [
    '',
    '1',
    '2',
  ]);
  await assert.rejects(run({ a: 'true', b: 'exit 3' }), /initializeCommand.b failed with status 3/);
  await assert.rejects(run(['/no/such/program']), /initializeCommand could not be run/);
});
