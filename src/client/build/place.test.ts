/** What files beside a Dockerfile say of its build. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { buildPlace, buildPlaces, describePlace } from './place.ts';

const root = mkdtempSync('/tmp/pinnace-place-');
after(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('without a word the context is the folder of the Dockerfile', () => {
  const file = write('plain/Dockerfile', 'FROM a');
  const place = buildPlace(file, { ceiling: join(root, 'plain') });
  assert.equal(place.context, join(root, 'plain'));
  assert.equal(place.source, undefined);
});

test('devcontainer.json gives context, target and the arguments without variables', () => {
  const file = write('dev/.devcontainer/Dockerfile', 'FROM a');
  write(
    'dev/.devcontainer/devcontainer.json',
    '{ // comment\n "build": {"dockerfile": "Dockerfile", "context": "..", "target": "t", "args": {"A": "1", "B": "${localEnv:B}", "C": 3}},}',
  );
  const place = buildPlace(file, { ceiling: root });
  assert.deepEqual([place.context, place.target, place.args], [join(root, 'dev'), 't', { A: '1' }]);
  assert.equal(describePlace(place), 'devcontainer.json');
});

test('each compose service that builds the file is a place, and the plain folder is the last', () => {
  const file = write('compose/docker/api.Dockerfile', 'FROM a');
  write(
    'compose/compose.yaml',
    'services:\n  api:\n    build: {context: ., dockerfile: docker/api.Dockerfile, args: {N: "2"}}\n  web:\n    build: ./web\n  far:\n    build: https://example.org/x.git\n',
  );
  const places = buildPlaces(file, { ceiling: root });
  assert.deepEqual(
    places.map((place) => [place.context, describePlace(place)]),
    [
      [join(root, 'compose'), 'service api of compose.yaml'],
      [join(root, 'compose/docker'), "the Dockerfile's folder"],
    ],
  );
});

test('links, broken files and folders above the ceiling say nothing', () => {
  const file = write('hostile/in/Dockerfile', 'FROM a');
  write('hostile/in/compose.yml', 'services: [\n');
  write('hostile/real.json', '{"build": {"dockerfile": "Dockerfile", "context": "/"}}');
  symlinkSync('../real.json', join(root, 'hostile/in/devcontainer.json'));
  write('hostile/compose.yaml', 'services: {a: {build: {context: ., dockerfile: in/Dockerfile}}}');
  const places = buildPlaces(file, { ceiling: join(root, 'hostile/in') });
  assert.deepEqual(
    places.map(({ context }) => context),
    [join(root, 'hostile/in')],
  );
});
