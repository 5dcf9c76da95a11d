/** The engines' commands at a desk made for the test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../../lib/errors.ts';
import type { EngineEntry } from '../../engine/engines.ts';
import { fakeDesk } from '../fake-desk.ts';
import { engineAdd } from './add.ts';
import { engineChoose } from './choose.ts';
import { engineCopyAddress } from './copy-address.ts';
import { engineMenu } from './menu.ts';
import { engineRemove } from './remove.ts';
import { engineStart } from './start.ts';
import { engineStop } from './stop.ts';

const far: EngineEntry = { id: 'ssh://far', label: 'Far', kind: 'other', address: 'ssh://far' };

test('a start that fails offers the doctor, a cancelled one says nothing', async () => {
  const notReady = new EngineError('unavailable', 'no user namespaces');
  assert.deepEqual(await fakeDesk({ notReady, buttons: ['Run Doctor'] }).run(engineStart), [
    'progress Starting Pinnace',
    'complain Pinnace cannot be used: no user namespaces | Run Doctor | Show Log',
    'execute pinnace.doctor',
  ]);
  const cancelled = new EngineError('cancelled', 'x');
  assert.deepEqual(await fakeDesk({ notReady: cancelled }).run(engineStart), [
    'progress Starting Pinnace',
  ]);
});

test('stopping tells that running containers go on', async () => {
  const container = { Id: 'a', State: 'running' } as never;
  const journal = await fakeDesk({ holdings: { container: [container] } }).run(engineStop);
  assert.match(journal.join('\n'), /stop\ninform .*containers go on/);
  assert.deepEqual(await fakeDesk().run(engineStop), [
    'progress Stopping the Pinnace engine',
    'stop',
  ]);
});

test('an engine is chosen by its row, or from the list', async () => {
  const row = { kind: 'engine', id: 'ssh://far' } as const;
  assert.deepEqual(await fakeDesk({ entries: [far] }).run(engineChoose, [row]), [
    'choose ssh://far',
  ]);
  assert.deepEqual(await fakeDesk({ entries: [far], picks: ['Far'] }).run(engineChoose), [
    'pick Engine',
    'choose ssh://far',
  ]);
  assert.deepEqual(await fakeDesk({ picks: ['$(add) Add Engine…'] }).run(engineChoose), [
    'pick Engine',
    'execute pinnace.engine.add',
  ]);
});

test('an added engine is written down, with its TLS files, and chosen', async () => {
  const answers = ['tcp://lab:2376', 'Lab'];
  const desk = fakeDesk({ answers, picks: ['Client certificate'], files: ['/pem'] });
  const journal = await desk.run(engineAdd);
  const tls = { ca: '/pem/ca.pem', cert: '/pem/cert.pem', key: '/pem/key.pem' };
  const written = [{ name: 'Lab', address: 'tcp://lab:2376', tls }];
  assert.deepEqual(journal.slice(-2), [
    `set engines ${JSON.stringify(written)}`,
    'choose tcp://lab:2376',
  ]);
});

test('an address that is none, or is known, is refused; giving up writes nothing', async () => {
  const refused = await fakeDesk({ answers: ['ssh://-oProxyCommand=x'] }).run(engineAdd);
  assert.match(refused.join('\n'), /refused not an ssh address/);
  const known = await fakeDesk({ entries: [far], answers: ['ssh://far'] }).run(engineAdd);
  assert.match(known.join('\n'), /refused It is in the list already: Far/);
  const given = await fakeDesk({ answers: ['tcp://lab:1', 'Lab'] }).run(engineAdd);
  assert.doesNotMatch(given.join('\n'), /set /);
});

test('only what the settings name can be removed, after a question', async () => {
  const settings = {
    engines: [{ name: 'Far', address: 'ssh://far' }, { address: 'tcp://other:1' }],
  };
  const rows = [
    { kind: 'engine', id: 'ssh://far' },
    { kind: 'engine', id: 'pinnace' },
  ] as const;
  const journal = await fakeDesk({ entries: [far], settings }).run(engineRemove, rows);
  assert.deepEqual(journal, [
    'confirm Remove Far from the list? | Remove',
    'set engines [{"address":"tcp://other:1"}]',
  ]);
  const kept = await fakeDesk({ entries: [far], settings, confirms: [false] }).run(
    engineRemove,
    rows,
  );
  assert.doesNotMatch(kept.join('\n'), /set /);
  assert.match((await fakeDesk().run(engineRemove)).join('\n'), /^inform The setting/);
});

test('the menu offers what the state allows', async () => {
  const stop = await fakeDesk({ picks: ['$(debug-stop) Stop Engine'] }).run(engineMenu);
  assert.deepEqual(stop.slice(-1), ['execute pinnace.engine.stop']);
  const off = fakeDesk({ state: { kind: 'off' }, picks: ['$(play) Start Engine'] });
  assert.deepEqual((await off.run(engineMenu)).slice(-1), ['execute pinnace.engine.start']);
});

test('the address that is copied is that of the row', async () => {
  const row = { kind: 'engine', id: 'ssh://far' } as const;
  const desk = fakeDesk({ entries: [far] });
  assert.deepEqual(await desk.run(engineCopyAddress, [row]), ['copy ssh://far']);
});
