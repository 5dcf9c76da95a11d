/** Completion inside the images of a real engine: paths, users and groups of a base image and of what a build made. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { buildContext } from '../../src/client/build/context.ts';
import type { BuildQuery } from '../../src/lib/api/system.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { LanguageServer } from '../support/language-server.ts';

const folder = mkdtempSync('/tmp/pinnace-lsp-inside-');
after(() => rmSync(folder, { recursive: true, force: true }));

const BASE = `FROM scratch
ENV SAILS=2
COPY passwd group /etc/
COPY tool /usr/bin/tool
COPY ["tool", "/usr/bin/with blank"]
`;

/** Only that its last stage and \`made\` are built: \`apart\` is known by its base alone. */
const TEXT = `FROM inside-base:1 AS made
COPY tool /opt/made/tool
FROM inside-base:1 AS apart
COPY tool /opt/apart/tool
FROM made
COPY tool /opt/last/tool
`;

/** The labels at the end of a document that has the text and another line. */
async function labelsBehind(
  server: LanguageServer,
  { uri, line, wanted }: { uri: string; line: string; wanted: string },
): Promise<string> {
  const text = `${TEXT}${line}`;
  const offset = text.indexOf('|');
  const whole = text.replace('|', '');
  await server.open(uri, whole);
  const before = whole.slice(0, offset).split('\n');
  const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
  // The first answers may have come before the engine's: they have what is known without it.
  let labels = '';
  for (let turn = 0; turn < 100 && labels !== wanted; turn++) {
    if (turn > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    labels = (await server.complete(uri, position)).map(({ label }) => label).join(' ');
  }
  await server.close(uri);
  return labels;
}

describe('with a real engine', () => {
  let engine: TestEngine;
  let client: Client;
  let server: LanguageServer;
  const path = join(folder, 'Dockerfile');
  const uri = pathToFileURL(path).href;

  const build = async (text: string, query: Pick<BuildQuery, 'tags' | 'target'>): Promise<void> => {
    writeFileSync(path, text);
    const { tar, dockerfile } = buildContext(folder, path);
    const named = { dockerfile, recordContext: folder, recordDockerfile: path, ...query };
    for await (const message of client.images.build(tar, named))
      assert.ok(!('error' in message), JSON.stringify(message));
  };

  before(async () => {
    engine = await startTestEngine('system');
    writeFileSync(
      join(folder, 'passwd'),
      'root:x:0:0::/:/bin/sh\nsailor:x:7:7::/:/bin/sh\n\u0000bad:x\n$(rm):x:1:1\n',
    );
    writeFileSync(join(folder, 'group'), 'root:x:0:\nsailor:x:7:\ncrew:x:8:\n');
    writeFileSync(join(folder, 'tool'), 'x');
    const engineSocket = engine.address.replace('unix://', '');
    client = createClient({ socketPath: engineSocket });
    await build(BASE, { tags: ['inside-base:1'] });
    await build(TEXT, { target: 'made' });
    await build(TEXT, {});
    server = await LanguageServer.start({ initializationOptions: { engineSocket } });
  });

  test('the linter knows the environment and the platform of base images', async () => {
    const found = async (line: string): Promise<readonly unknown[]> => {
      const place = pathToFileURL(join(folder, 'known.Dockerfile')).href;
      await server.open(place, `FROM --platform=linux/s390x inside-base:1\n${line}\n`);
      // The first answer may have come before the engine's.
      let codes: readonly unknown[] = [];
      for (let turn = 0; turn < 100 && !codes.includes('InvalidBaseImagePlatform'); turn++) {
        codes = (await server.diagnostics(place, 1)).diagnostics.map(({ code }) => code);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await server.close(place);
      return codes;
    };
    assert.deepEqual(await found('WORKDIR /$SAILS'), [
      'FromPlatformFlagConstDisallowed',
      'InvalidBaseImagePlatform',
    ]);
    assert.deepEqual(await found('WORKDIR /$MASTS'), [
      'FromPlatformFlagConstDisallowed',
      'InvalidBaseImagePlatform',
      'UndefinedVar',
    ]);
  });
  after(async () => {
    await server.stop();
    client.close();
    assert.deepEqual(await engine.close(), []);
  });

  const CASES: readonly (readonly [string, string, string])[] = [
    ['paths of the image that the last build made', 'RUN ls /opt/|', 'last/ made/'],
    ['paths that stood in the base already', 'CMD ["/usr/bin/|"]', 'tool'],
    ['directories only where a directory is wanted', 'WORKDIR /usr/|', 'bin/'],
    ['the files of another stage that was built', 'COPY --from=made /opt/made/| /', 'tool'],
    ['a stage that was never built by its base', 'COPY --from=apart /usr/bin/| /', 'tool'],
    ['the files of an image', 'COPY --from=inside-base:1 /| /', 'etc/ usr/'],
    ['users of the image', 'USER |', 'root:root sailor:sailor root sailor nobody 1000:1000'],
    ['groups of the image', 'COPY --chown=sailor:|', 'sailor:root sailor:sailor sailor:crew'],
  ];
  for (const [what, line, wanted] of CASES) {
    test(`completion gives ${what}`, async () => {
      assert.equal(await labelsBehind(server, { uri, line, wanted }), wanted);
    });
  }
});

describe('with an engine that never answers', () => {
  let engine: Server;
  let server: LanguageServer;
  const socket = join(folder, 'hangs.sock');

  before(async () => {
    engine = createServer(() => undefined);
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
    server = await LanguageServer.start({ initializationOptions: { engineSocket: socket } });
  });
  after(async () => {
    await server.stop();
    engine.closeAllConnections();
    engine.close();
  });

  test('nobody waits for it, and what the file itself says is offered', async () => {
    const uri = pathToFileURL(join(folder, 'other', 'Dockerfile')).href;
    mkdirSync(join(folder, 'other'));
    await server.open(uri, 'FROM a AS b\nWORKDIR /srv/app\nRUN cat /srv/\nUSER \n');
    const started = performance.now();
    const labels = await server.labels(uri, { line: 2, character: 13 });
    assert.deepEqual(labels, ['app/']);
    const users = await server.labels(uri, { line: 3, character: 5 });
    assert.ok(users.includes('nobody'));
    const took = performance.now() - started;
    assert.ok(took < 1000, `it took ${String(Math.round(took))} ms`);
  });
});
