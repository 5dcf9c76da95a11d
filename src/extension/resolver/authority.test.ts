/** Tests of the names of windows, and of streams as the editor's connections. */
import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { once } from 'node:events';
import { test } from 'node:test';
import { authorityOf, localFolderOf, targetOf } from './authority.ts';
import { passingOf } from './passing.ts';

test('an authority tells its target again, also in lower case', () => {
  for (const target of [
    { folder: '/home/änn/a b', engine: 'pinnace' },
    { container: 'mild_lugger', engine: 'ssh://me@far:2222' },
  ]) {
    const authority = authorityOf(target);
    assert.match(authority, /^pinnace\+[0-9a-f]+$/);
    assert.deepEqual(targetOf(authority.toLowerCase()), target);
  }
});

test('what is none of ours is refused', () => {
  const hex = (value: unknown): string =>
    `pinnace+${Buffer.from(JSON.stringify(value)).toString('hex')}`;
  for (const text of [
    'pinnace',
    'pinnace+',
    'pinnace+zz',
    'pinnace+7',
    'ssh-remote+far',
    hex('x'),
    hex(null),
    hex({ folder: 'relative', engine: 'pinnace' }),
    hex({ folder: '/x' }),
    hex({ container: '../x', engine: 'pinnace' }),
    hex({ container: '-x', engine: 'pinnace' }),
    hex({ folder: '/x', container: 'x', engine: 'pinnace' }),
  ])
    assert.throws(() => targetOf(text), /names no container/, text);
});

test('the folder of a window inside its container is the one on this machine', () => {
  const local = (scheme: string, authority: string): string | undefined =>
    localFolderOf({ scheme, authority });
  const authority = authorityOf({ folder: '/home/me/shop', engine: 'pinnace' });
  assert.equal(local('vscode-remote', authority), '/home/me/shop');
  assert.equal(local('file', authority), undefined);
  for (const other of [
    authorityOf({ container: 'box', engine: 'pinnace' }),
    'ssh-remote+far',
    'pinnace+zz',
    '',
  ])
    assert.equal(local('vscode-remote', other), undefined);
});

test('nothing is read before the editor listens, and its end and its close are told', async () => {
  const { passing, theirs } = pair();
  theirs.write('early ');
  await new Promise((resolve) => setImmediate(resolve));
  let seen = '';
  const told: string[] = [];
  passing.onDidReceiveMessage((data) => (seen += Buffer.from(data).toString()));
  passing.onDidEnd(() => told.push('end'));
  const closed = new Promise((resolve) => passing.onDidClose(resolve));
  theirs.end('late');
  passing.send(Buffer.from('answer'));
  passing.end();
  let heard = '';
  for await (const chunk of theirs as AsyncIterable<Buffer>) heard += chunk.toString();
  assert.equal(await closed, undefined);
  assert.equal(seen, 'early late');
  assert.deepEqual(told, ['end']);
  assert.equal(heard, 'answer');
  passing.send(Buffer.from('into nothing'));
});

test('a writer waits for a slow reader, and not for one that is gone', async () => {
  const { passing, theirs, ours } = pair();
  await passing.drain();
  for (let at = 0; at < 20; at += 1) passing.send(Buffer.alloc(64 * 1024));
  let drained = false;
  const waiting = passing.drain().then(() => (drained = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(drained, false);
  theirs.resume();
  await waiting;
  theirs.pause();
  for (let at = 0; at < 20; at += 1) passing.send(Buffer.alloc(64 * 1024));
  const reason = new Error('the link broke');
  const closed = new Promise((resolve) => passing.onDidClose(resolve));
  const gone = passing.drain();
  ours.destroy(reason);
  await gone;
  assert.equal(await closed, reason);
});

test('a listener that was disposed hears nothing', async () => {
  const { passing, theirs } = pair();
  const heard: string[] = [];
  const subscription = passing.onDidReceiveMessage(() => heard.push('first'));
  passing.onDidReceiveMessage(() => heard.push('second'));
  subscription.dispose();
  theirs.write('x');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(heard, ['second']);
  theirs.destroy();
  await once(theirs, 'close');
});

function pair(): { passing: ReturnType<typeof passingOf>; ours: Duplex; theirs: Duplex } {
  const [ours, theirs] = duplexPair();
  theirs.on('error', () => undefined);
  return { ours, theirs, passing: passingOf(ours) };
}
