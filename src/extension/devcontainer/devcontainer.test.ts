/** Tests of the decisions about dev containers: ports, templates, rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDevContainer } from '../../lib/devcontainer/config.ts';
import type { DevContainerNode } from '../views/nodes.ts';
import { devContainerRow } from '../views/devcontainers.ts';
import { PortWatch } from './ports.ts';
import { templatesFor } from './template.ts';

test('a listening port is news once, until it has gone', () => {
  const watch = new PortWatch(undefined, [4000]);
  const web = { port: 8080, address: '0.0.0.0', process: 'node' };
  const own = { port: 4000, address: '127.0.0.1' };
  assert.deepEqual(
    watch.next([web, own]).map(({ port }) => port),
    [8080],
  );
  assert.deepEqual(watch.next([web, own]), []);
  watch.next([own]);
  assert.equal(watch.next([web, own]).length, 1);
});

test('portsAttributes say what is done with a port, by number, range and program', () => {
  const { config } = parseDevContainer(
    JSON.stringify({
      image: 'x',
      forwardPorts: [9000],
      portsAttributes: {
        '80': { onAutoForward: 'ignore' },
        '3000-3010': { label: 'App', onAutoForward: 'openBrowser', protocol: 'https' },
        '^pyt': { onAutoForward: 'silent' },
      },
      otherPortsAttributes: { onAutoForward: 'ignore' },
    }),
  );
  const news = new PortWatch(config, []).next([
    { port: 80, address: '::' },
    { port: 3005, address: '::' },
    { port: 5000, address: '::', process: 'python3' },
    { port: 6000, address: '::', process: 'other' },
    { port: 9000, address: '::' },
  ]);
  assert.deepEqual(
    news.map(({ port, action, protocol }) => [port, action, protocol]),
    [
      [3005, 'browser', 'https'],
      [5000, 'silent', 'http'],
      [9000, 'notify', 'http'],
    ],
  );
});

test('each value of onAutoForward has its action, and what opens once is silent from then on', () => {
  const values = [
    'notify',
    'silent',
    'ignore',
    'openBrowser',
    'openBrowserOnce',
    'openPreview',
    'dance',
  ];
  const portsAttributes = Object.fromEntries(
    values.map((onAutoForward, at) => [String(3000 + at), { onAutoForward }]),
  );
  const { config } = parseDevContainer(JSON.stringify({ image: 'x', portsAttributes }));
  const watch = new PortWatch(config, []);
  const ports = [...values.keys(), 7].map((at) => ({ port: 3000 + at, address: '::' }));
  const actions = (): unknown[] =>
    watch.next(ports).map(({ port, action, named }) => [port - 3000, action, named]);
  const expected = [
    [0, 'notify', true],
    [1, 'silent', true],
    [3, 'browser', true],
    [4, 'browser', true],
    [5, 'preview', true],
    [6, 'notify', true],
    [7, 'notify', false],
  ];
  assert.deepEqual(actions(), expected);
  watch.next([]);
  assert.deepEqual(
    actions(),
    expected.map((line) => (line[0] === 4 ? [4, 'silent', true] : line)),
  );
});

test('every template is a sound configuration, those of the folder first', () => {
  const templates = templatesFor('shop', {
    dockerfiles: ['Dockerfile'],
    composeImages: ['redis:7'],
  });
  assert.deepEqual(
    templates.slice(0, 2).map(({ label }) => label),
    ['From Dockerfile', 'From redis:7'],
  );
  for (const { files } of templates) {
    const text = files['.devcontainer/devcontainer.json'] ?? '';
    assert.deepEqual(parseDevContainer(text).problems, []);
  }
});

test('a row says folder, container and state', () => {
  const node = {
    kind: 'devcontainer',
    id: 'abc',
    name: 'mild_lugger',
    folder: '/home/me/shop',
    summary: { State: 'exited' },
  } as unknown as DevContainerNode;
  const row = devContainerRow(node);
  assert.equal(row.label, 'shop');
  assert.equal(row.description, 'mild_lugger · exited');
  assert.equal(row.context, 'devcontainer exited');
  assert.equal(row.accessible, 'dev container of /home/me/shop, exited');
});
