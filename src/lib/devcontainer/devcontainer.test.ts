/** Tests of devcontainer.json: reading, variables and the plan. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDevContainer, requireDevContainer } from './config.ts';
import { LOCAL_FOLDER, METADATA } from './labels.ts';
import { createRequestOf, workspaceFolderOf } from './request.ts';
import { substitute } from './variables.ts';

const WORKSPACE = {
  folder: '/home/me/app',
  configFile: '/home/me/app/.devcontainer.json',
  configHash: 'abc',
};

test('comments and trailing commas are allowed, unknown properties are a warning with their line', () => {
  const { config, problems } = parseDevContainer(
    '{\n  // an image\n  "image": "debian",\n  "colour": 1,\n}',
  );
  assert.equal(config.image, 'debian');
  assert.deepEqual(problems, [
    { severity: 'warning', message: 'unknown property colour', property: 'colour', line: 4 },
  ]);
});

for (const [text, message] of [
  ['{"image": 1}', /f:1: image: a string is needed/],
  ['{\n"build": {"target": "x"}}', /build.dockerfile: a Dockerfile is needed/],
  ['{}', /image or build is needed/],
  ['[]', /an object is needed/],
  ['{"image": "a",\n "postCreateCommand": 4}', /f:2: postCreateCommand: a command is needed/],
  ['{"image": "a", "features": {}}', /features is not supported in this version/],
  ['{"image": "a", "waitFor": "postAttachCommand"}', /waitFor: one of initializeCommand, /],
  ['{"image": ', /f:1: ValueExpected/],
] as const) {
  test(`${JSON.stringify(text)} is refused with its place`, () => {
    assert.throws(() => requireDevContainer(text, 'f'), message);
  });
}

test('no text makes the reader throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) =>
      Array.isArray(parseDevContainer(text).problems),
    ),
  );
});

test('variables are replaced in every string, unknown ones stay', () => {
  const scope = {
    localEnv: { A: '1' },
    localWorkspaceFolder: '/home/me/app',
    containerWorkspaceFolder: '/w/app',
    devcontainerId: 'id',
  };
  assert.deepEqual(
    substitute(
      {
        a: ['${localEnv:A}', '${localEnv:B:b:c}', '${containerEnv:X}'],
        b: '${localWorkspaceFolderBasename}:${containerWorkspaceFolder}/${devcontainerId}',
        c: 3,
      },
      scope,
    ),
    { a: ['1', 'b:c', '${containerEnv:X}'], b: 'app:/w/app/id', c: 3 },
  );
});

test('the plan mounts the workspace, keeps the container alive and labels it', () => {
  const request = createRequestOf(
    { image: 'x', remoteUser: 'node', containerEnv: { A: 'b' } },
    'x',
    WORKSPACE,
  );
  assert.deepEqual(request.HostConfig?.Mounts, [
    { Type: 'bind', Source: '/home/me/app', Target: '/workspaces/app' },
  ]);
  assert.deepEqual(request.Entrypoint, ['/bin/sh']);
  assert.deepEqual(request.Env, ['A=b']);
  assert.equal(request.Labels?.[LOCAL_FOLDER], '/home/me/app');
  assert.deepEqual(JSON.parse(request.Labels[METADATA] ?? ''), [
    { workspaceFolder: '/workspaces/app', remoteUser: 'node' },
  ]);
});

test('overrideCommand false leaves the image its own program', () => {
  assert.equal(
    createRequestOf({ image: 'x', overrideCommand: false }, 'x', WORKSPACE).Entrypoint,
    undefined,
  );
});

test('mounts are read in both forms, and a bad one is named', () => {
  const mounts = [
    'type=bind,source=/a,target=/b,readonly',
    { type: 'volume', source: 'v', target: '/v' },
  ];
  assert.deepEqual(
    createRequestOf({ image: 'x', mounts }, 'x', WORKSPACE).HostConfig?.Mounts?.slice(1),
    [
      { Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true },
      { Type: 'volume', Source: 'v', Target: '/v' },
    ],
  );
  assert.throws(
    () => createRequestOf({ image: 'x', mounts: ['source=/a'] }, 'x', WORKSPACE),
    /mount 'source=\/a': a target is needed/,
  );
});

test('the workspace folder defaults to the name of the folder', () => {
  assert.equal(workspaceFolderOf({}, '/home/me/app/'), '/workspaces/app');
  assert.equal(workspaceFolderOf({ workspaceFolder: '/src' }, '/home/me/app'), '/src');
});
