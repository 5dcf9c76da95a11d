/** Tests of the registry reader against a small registry on this machine. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { type Reference, tryReference } from '../../lib/image/reference.ts';
import { listTags, readImage } from './registry.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const CONFIG = `sha256:${'c'.repeat(64)}`;
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

type Handler = (request: IncomingMessage, answer: ServerResponse, host: string) => void;

/** A repository `one/two` on a registry of this machine that answers so. */
async function serve(handler: Handler): Promise<Reference> {
  server = createServer((request, answer) =>
    handler(request, answer, `127.0.0.1:${String(port())}`),
  );
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const reference = tryReference(`127.0.0.1:${String(port())}/one/two:tag`);
  assert.ok(reference !== undefined);
  return reference;
}

function port(): number {
  return (server?.address() as AddressInfo).port;
}

function send(answer: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  answer.writeHead(200, { 'Content-Type': 'application/json', ...headers });
  answer.end(JSON.stringify(value));
}

test('tags are listed page by page with the token that anybody gets', async () => {
  const paths: string[] = [];
  const repository = await serve((request, answer, host) => {
    const { url = '' } = request;
    paths.push(url);
    if (url.startsWith('/token')) send(answer, { token: 'secret' });
    else if (request.headers.authorization !== 'Bearer secret') {
      answer.writeHead(401, {
        'WWW-Authenticate': `Bearer realm="http://${host}/token",service="s"`,
      });
      answer.end();
    } else if (url.includes('last=b')) send(answer, { tags: ['c', 7, 'no good'] });
    else send(answer, { tags: ['a', 'b'] }, { Link: '</v2/one/two/tags/list?last=b>; rel="next"' });
  });
  assert.deepEqual(await listTags(repository), ['a', 'b', 'c']);
  assert.ok(paths.some((path) => /scope=repository%3Aone%2Ftwo%3Apull/.test(path)));
});

test("an image's configuration is read through an index", async () => {
  let digest = '';
  const reference = await serve(({ url = '' }, answer) => {
    const platform = { os: 'linux', architecture: 'arm64' };
    const unknown = { os: 'unknown', architecture: 'unknown' };
    const index = {
      manifests: [
        { digest: DIGEST, platform },
        { digest: 'x', platform: unknown },
      ],
    };
    digest = createHash('sha256').update(JSON.stringify(index)).digest('hex');
    if (url.endsWith('/manifests/tag')) send(answer, index);
    else if (url.endsWith(`/manifests/${DIGEST}`))
      send(answer, { config: { digest: CONFIG }, layers: [{ size: 5 }, { size: 7 }] });
    else send(answer, { config: { User: 'me' } });
  });
  assert.deepEqual(await readImage(reference, 'linux/amd64'), {
    config: { config: { User: 'me' } },
    size: 12,
    platforms: ['linux/arm64'],
    digest: `sha256:${digest}`,
  });
});

const LIES: readonly (readonly [string, Handler, RegExp])[] = [
  [
    'an endless body',
    (_, answer) => void answer.end('x'.repeat(5 * 1024 * 1024)),
    /larger than 4 MiB/,
  ],
  ['no JSON', (_, answer) => void answer.end('<html>'), /not JSON/],
  ['no such repository', (_, answer) => void answer.writeHead(404).end(), /answers 404/],
  [
    'a login that is not for anybody',
    (_, answer) => void answer.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end(),
    /wants a login/,
  ],
  [
    'endless redirects',
    (_, answer, host) => void answer.writeHead(302, { Location: `http://${host}/again` }).end(),
    /redirects more than/,
  ],
  [
    'a redirect to a file',
    (_, answer) => void answer.writeHead(302, { Location: 'file:///etc/passwd' }).end(),
    /elsewhere/,
  ],
  ['a closed connection', (request) => void request.socket.destroy(), /cannot be reached/],
  [
    'a token with a line break',
    ({ url = '' }, answer, host) => {
      if (url.startsWith('/token')) send(answer, { token: 'a\r\nX: y' });
      else
        answer.writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${host}/token"` }).end();
    },
    /wants a login/,
  ],
];

for (const [what, handler, wanted] of LIES) {
  test(`a registry that answers with ${what} is an error`, async () => {
    const repository = await serve(handler);
    await assert.rejects(listTags(repository), wanted);
  });
}

test('a public registry may not send anybody to this machine', async () => {
  const reference = tryReference('registry.example.com/a:1');
  assert.ok(reference !== undefined);
  for (const location of [
    'http://registry.example.com/',
    'https://127.0.0.1/x',
    'https://169.254.169.254/',
  ])
    await assert.rejects(
      listTags(reference, {
        fetch: () => Promise.resolve(new Response(null, { status: 307, headers: { location } })),
      }),
      /elsewhere/,
      location,
    );
});

test('a registry that never answers is given up by the signal', async () => {
  const repository = await serve(() => undefined);
  await assert.rejects(
    listTags(repository, { signal: AbortSignal.timeout(50) }),
    /cannot be reached/,
  );
});
