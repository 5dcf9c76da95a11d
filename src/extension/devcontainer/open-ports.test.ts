/** Ports of an open container: what is carried to this machine, told, shown and given back. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { ListeningPort } from '../../lib/api/containers.ts';
import { parseDevContainer } from '../../lib/devcontainer/config.ts';
import { EngineError } from '../../lib/errors.ts';
import { OpenPorts, type PortOwner } from './open-ports.ts';

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

const { config } = parseDevContainer(
  JSON.stringify({
    image: 'x',
    portsAttributes: {
      '3000': { label: 'App' },
      '3001': { onAutoForward: 'openPreview' },
      '3002': { onAutoForward: 'silent' },
      '3003': { onAutoForward: 'ignore' },
      '3004': { onAutoForward: 'openBrowserOnce', protocol: 'https' },
    },
  }),
);
const OWNER: PortOwner = { containerId: 'c1', name: 'shop', port: 4000, config };

/** A machine on which a port is reached at ten thousand more; `wants` says yes to what is told. */
function site({ wants }: { readonly wants: boolean }) {
  const journal: string[] = [];
  let listening: readonly number[] | undefined = [];
  const open = new OpenPorts({
    forwards: {
      open: (container, port) => {
        journal.push(`carry ${container} ${String(port)}`);
        return port === 3999
          ? Promise.reject(new EngineError('unavailable', 'no port'))
          : Promise.resolve(10_000 + port);
      },
      stop: (container, port) => void journal.push(`stop ${container} ${String(port)}`),
      close: () => void journal.push('close'),
    },
    listening: () =>
      listening === undefined
        ? Promise.reject(new EngineError('unavailable', 'away'))
        : Promise.resolve(listening.map((port): ListeningPort => ({ port, address: '::' }))),
    tell: ({ port, label, of, local }) => {
      journal.push(`tell ${of} ${String(port)} ${String(label)} ${String(local)}`);
      return Promise.resolve(wants);
    },
    show: (address, place) => {
      journal.push(`show ${address} ${place}`);
      return Promise.resolve();
    },
    complain: (error) => void journal.push(`complain ${String(error)}`),
  });
  /** What happens at the next look. */
  const look = async (ports: readonly number[] | undefined): Promise<string[]> => {
    listening = ports;
    journal.length = 0;
    mock.timers.tick(2000);
    await new Promise((resolve) => setImmediate(resolve));
    return [...journal];
  };
  return { open, look, journal };
}

test('what the configuration names is carried at once, what nobody named only when it is wanted', async () => {
  const { open, look } = site({ wants: false });
  open.watch(OWNER);
  assert.deepEqual(await look([3000, 3002, 3003, 4000, 8080]), [
    'carry c1 3000',
    'carry c1 3002',
    'tell shop 8080 undefined undefined',
    'tell shop 3000 App 13000',
  ]);
  assert.deepEqual(await look([3000, 3002, 3003, 4000, 8080]), []);
  open.dispose();
});

test('what is wanted is carried and shown, in the browser or beside the files', async () => {
  const { open, look } = site({ wants: true });
  open.watch(OWNER);
  assert.deepEqual((await look([8080])).slice(1), [
    'carry c1 8080',
    'show http://127.0.0.1:18080/ browser',
  ]);
  assert.deepEqual((await look([8080, 3001])).at(-1), 'show http://127.0.0.1:13001/ preview');
  assert.deepEqual((await look([8080, 3004])).at(-1), 'show https://127.0.0.1:13004/ browser');
  open.dispose();
});

test('a port that is gone is given back, and one that comes again is not opened twice where once was asked', async () => {
  const { open, look, journal } = site({ wants: true });
  open.watch(OWNER);
  await look([3004, 8080]);
  assert.deepEqual(await look([]), ['stop c1 3004', 'stop c1 8080']);
  assert.deepEqual(await look([3004]), ['carry c1 3004']);
  // An engine that is away has not said that the port is.
  assert.deepEqual(await look(undefined), []);
  open.unwatch('c1');
  assert.deepEqual(journal, ['stop c1 3004']);
  assert.deepEqual(await look([8080]), []);
  open.dispose();
  assert.deepEqual(journal, ['close']);
});

test('a port that cannot be carried is complained about, the others go on', async () => {
  const { open, look } = site({ wants: true });
  open.watch(OWNER);
  const said = await look([3999, 3002]);
  assert.ok(said.includes('complain EngineError: no port'), said.join('\n'));
  assert.ok(said.includes('carry c1 3002'));
  open.dispose();
});
