/** Each state of the engine has a face in the status bar. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionState, EngineEntry } from './engines.ts';
import { statusFace } from './status.ts';

const entry: EngineEntry = {
  id: 'pinnace',
  label: 'Pinnace',
  kind: 'pinnace',
  address: 'unix:///run/p.sock',
};
const face = (state: ConnectionState, running?: number): ReturnType<typeof statusFace> =>
  statusFace({ entry, state }, running);

test('a ready engine shows its running containers, none are not counted', () => {
  const ready: ConnectionState = { kind: 'ready', version: '1.2', info: undefined };
  assert.equal(face(ready, 2).text, '$(vm-running) Pinnace $(play) 2');
  assert.equal(face(ready, 0).text, '$(vm-running) Pinnace');
  assert.equal(face(ready, 1).spoken, 'Pinnace: ready, 1 container running');
  assert.equal(face(ready).tooltip, 'Pinnace, version 1.2\nunix:///run/p.sock');
});

test('an engine that cannot be used is a warning with its reason', () => {
  const failed = face({ kind: 'failed', message: 'no uidmap', doctor: true });
  assert.equal(failed.warning, true);
  assert.equal(failed.tooltip, 'no uidmap');
  assert.equal(face({ kind: 'off' }).warning, false);
  assert.equal(face({ kind: 'connecting' }).text, '$(sync~spin) Pinnace');
});
