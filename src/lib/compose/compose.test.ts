/** Tests of reading compose files into services. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Compose, readCompose } from './compose.ts';
import { readPort } from './ports.ts';

const env = (name: string): string | undefined => (name === 'TAG' ? '1.27' : undefined);

function problems(file: Compose): string[] {
  return file.problems.map(({ severity, range, message }) => {
    return `${severity} ${String(range.start.line + 1)}:${String(range.start.character + 1)} ${message}`;
  });
}

const FILE = `name: shop
x-shared: &shared
  image: busybox:\${TAG}
  command: echo shared
services:
  web:
    image: nginx:\${TAG:-latest}
    command: nginx -g 'daemon off;' \$\$HOME
    ports:
      - 8080:80
      - "127.0.0.1:5000-5002:5000-5002/udp"
      - 9000
      - target: 443
        published: "8443"
        host_ip: 0.0.0.0
  app:
    build:
      context: ./app
      dockerfile: Dockerfile.dev
      target: dev
      args:
        VERSION: 24
        TOKEN:
    command: ["node", "server.js"]
  tool:
    build: .
  job:
    <<: *shared
    command: []
`;

test('services are read with image, build, command and ports', () => {
  const file = readCompose(FILE, env);
  assert.deepEqual(problems(file), []);
  assert.equal(file.name, 'shop');
  const [web, app, tool, job] = file.services;
  assert.equal(web?.image, 'nginx:1.27');
  assert.deepEqual(web.command, ['nginx', '-g', 'daemon off;', '$HOME']);
  const one = (port: number): object => ({ first: port, last: port });
  const some = { first: 5000, last: 5002 };
  assert.deepEqual(web.ports, [
    { target: one(80), published: one(8080), hostIp: undefined, protocol: 'tcp' },
    { target: some, published: some, hostIp: '127.0.0.1', protocol: 'udp' },
    { target: one(9000), published: undefined, hostIp: undefined, protocol: 'tcp' },
    { target: one(443), published: one(8443), hostIp: '0.0.0.0', protocol: 'tcp' },
  ]);
  const args = new Map([
    ['VERSION', '24'],
    ['TOKEN', undefined],
  ]);
  assert.deepEqual(app?.build, {
    context: './app',
    dockerfile: 'Dockerfile.dev',
    target: 'dev',
    args,
  });
  assert.deepEqual(app.command, ['node', 'server.js']);
  assert.equal(tool?.build?.context, '.');
  assert.equal(job?.image, 'busybox:1.27');
  assert.deepEqual(job.command, []);
});

test('what is wrong is reported where it stands', () => {
  const file = readCompose(
    `services:
  a:
    image: [x]
    ports: 80
  b: text
  c:
    image: "x:\${NOPE}"
    ports:
      - 80:notaport
      - target: x
  d:
    image: a\${TAG:?
    command: echo 'x
`,
    env,
  );
  assert.deepEqual(problems(file), [
    'error 3:12 services.a.image must be a string',
    'error 3:5 service a has neither an image nor a build',
    'error 4:12 services.a.ports must be a list of ports',
    'error 5:6 services.b must be a mapping',
    'warning 7:12 variable NOPE is not set: an empty string is taken',
    "error 9:9 '80:notaport': the container's port is a number from 1 to 65535, or a range",
    'error 10:17 services.c.ports[1].target is missing or no valid value',
    "error 12:13 services.d.image: ${TAG is not closed: '}' is missing",
    'error 13:14 services.d.command: a single quote is opened and never closed',
  ]);
});

test('broken YAML is a problem with its place, and an empty file has no services', () => {
  const broken = readCompose('services:\n  a: [\n', env);
  assert.equal(broken.problems[0]?.code, 'Yaml');
  assert.deepEqual(readCompose('', env), { name: undefined, services: [], problems: [] });
});

test('ports of all short forms are read', () => {
  const shown = (text: string): string => {
    const { port } = readPort(text);
    if (port === undefined) return 'wrong';
    const { target, published, hostIp, protocol } = port;
    const range = (of: { first: number; last: number } | undefined): string =>
      of === undefined ? '*' : `${String(of.first)}-${String(of.last)}`;
    return `${hostIp ?? '*'} ${range(published)} ${range(target)} ${protocol}`;
  };
  assert.equal(shown('80'), '* * 80-80 tcp');
  assert.equal(shown('8080:80/UDP'), '* 8080-8080 80-80 udp');
  assert.equal(shown('127.0.0.1::80'), '127.0.0.1 * 80-80 tcp');
  assert.equal(shown('[::1]:8080:80'), '::1 8080-8080 80-80 tcp');
  assert.equal(shown('8000-9000:80'), '* 8000-9000 80-80 tcp');
  assert.equal(shown('3000-3005'), '* * 3000-3005 tcp');
  for (const wrong of ['', '0', '70000', 'a', '80:', '80/icmp', '1-2:1-3', '9-3', '1:2:3:4']) {
    assert.equal(shown(wrong), 'wrong', wrong);
  }
});

test('no text throws: deep nesting, self-reference and aliases by the thousand', () => {
  for (const text of [
    '['.repeat(50_000),
    'services: &a\n  x: *a\n',
    'a: &a\n  <<: *a\nservices:\n  b:\n    <<: *a\n',
    `services:\n  a: &a {image: x}\n${'  b: *a\n'.repeat(1000)}`,
    'services:\n  ? [a]\n  : {image: x}\n',
    '- a\n---\nb: c\n',
  ]) {
    assert.ok(Array.isArray(readCompose(text, env).services));
  }
  const pieces = fc.constantFrom(
    'services:',
    '\n',
    '  ',
    'a:',
    ' image: x',
    '- ',
    '[',
    '{',
    '&a ',
    '*a',
    '<<: ',
    '"',
    '$',
    '|',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      assert.ok(Array.isArray(readCompose(parts.join(''), env).problems));
    }),
    { numRuns: 1000 },
  );
});
