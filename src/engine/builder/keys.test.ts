/** Cache keys: what changes them and what must not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CopyAction, RunAction, RunMount } from './plan/graph.ts';
import { baseKey, copyKey, runKey, stepKey, workdirKey } from './keys.ts';

const run: RunAction = {
  kind: 'run',
  args: ['/bin/sh', '-c', 'x'],
  env: ['A=1'],
  proxyEnv: [],
  cwd: '/',
  user: '',
  network: 'default',
  mounts: [],
  script: undefined,
};

const copy: CopyAction = {
  kind: 'copy',
  verb: 'COPY',
  source: { kind: 'context' },
  patterns: ['a'],
  files: [],
  dest: '/a',
  destIsDir: false,
  chown: undefined,
  chmod: undefined,
  unpack: false,
  parents: false,
  excludes: [],
};

const base = baseKey('sha256:1');

describe('cache keys', () => {
  it('of RUN change with everything that the command can see', () => {
    const key = runKey(base, run, []);
    const changes: Partial<RunAction>[] = [
      { args: ['/bin/sh', '-c', 'y'] },
      { env: ['A=2'] },
      { cwd: '/w' },
      { user: 'nobody' },
      { network: 'none' },
      { script: { name: 's', content: '#!' } },
    ];
    for (const change of changes) assert.notEqual(runKey(base, { ...run, ...change }, []), key);
    assert.notEqual(runKey(baseKey('sha256:2'), run, []), key);
    assert.notEqual(runKey(baseKey(null), run, []), key);
  });

  it('of RUN do not change with proxies', () => {
    assert.equal(runKey(base, { ...run, proxyEnv: ['http_proxy=x'] }, []), runKey(base, run, []));
  });

  it('of RUN count what a bind mount holds and where it shows, never where it comes from', () => {
    const bind = (index: number, path = '/'): RunMount => ({
      type: 'bind',
      source: { kind: 'stage', index },
      path,
      target: '/t',
      readonly: true,
    });
    const key = runKey(base, run, [{ mount: bind(1), content: 'c' }]);
    assert.equal(runKey(base, run, [{ mount: bind(2), content: 'c' }]), key);
    assert.notEqual(runKey(base, run, [{ mount: bind(1), content: 'd' }]), key);
    assert.notEqual(runKey(base, run, [{ mount: bind(1, '/x'), content: 'c' }]), key);
  });

  it('of COPY change with content, place, owner and mode', () => {
    const key = copyKey(base, copy, ['content']);
    assert.notEqual(copyKey(base, copy, ['other']), key);
    const changes: Partial<CopyAction>[] = [
      { dest: '/b' },
      { destIsDir: true },
      { chown: '1' },
      { chmod: '0600' },
    ];
    for (const change of changes)
      assert.notEqual(copyKey(base, { ...copy, ...change }, ['content']), key);
    assert.equal(
      copyKey(base, { ...copy, source: { kind: 'stage', index: 1 } }, ['c']),
      copyKey(base, { ...copy, source: { kind: 'stage', index: 2 } }, ['c']),
    );
  });

  it('of WORKDIR change with path and owner', () => {
    const key = workdirKey(base, { kind: 'workdir', path: '/w', owner: undefined });
    assert.notEqual(workdirKey(base, { kind: 'workdir', path: '/w', owner: 'u' }), key);
    assert.notEqual(workdirKey(base, { kind: 'workdir', path: '/v', owner: undefined }), key);
  });

  it('of a configuration change with the configuration, not with numbers and lines', () => {
    const step = {
      number: 1,
      text: 'ENV A=1',
      line: 2,
      endLine: 2,
      action: { kind: 'meta' },
      createdBy: 'ENV A=1',
      config: {},
      author: undefined,
    } as const;
    const key = stepKey('before', base, step);
    assert.equal(stepKey('before', base, { ...step, number: 9, line: 8, text: 'env  A=1' }), key);
    assert.notEqual(stepKey('before', base, { ...step, config: { User: 'x' } }), key);
    assert.notEqual(stepKey('other', base, step), key);
  });
});
