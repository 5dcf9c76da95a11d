/** What an engine is and can do follows from its own answers, those of Docker and Podman among them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PinnaceInfo } from '../../lib/api/system.ts';
import { type Facts, featuresOf, kindOf, lackingText, lacksText } from './features.ts';

const version = (...names: string[]): Facts['version'] => ({
  Version: '1.2.3',
  Components: names.map((Name) => ({ Name, Version: '1', Details: {} })),
});
const other = (facts: Partial<Facts>): Facts => ({
  version: version('Engine', 'containerd'),
  pinnace: undefined,
  info: undefined,
  ...facts,
});

test('engines say who they are', () => {
  assert.equal(kindOf(other({})), 'docker');
  assert.equal(kindOf(other({ version: version('Podman Engine', 'Conmon') })), 'podman');
  assert.equal(kindOf(other({ version: { Version: '1' } })), 'other');
});

test("only Pinnace has Pinnace's own", () => {
  const features = featuresOf(other({}));
  assert.equal(features.has('pinnace'), false);
  for (const feature of ['pause', 'stats', 'build', 'commit', 'push', 'search'] as const)
    assert.equal(features.has(feature), true, feature);
  assert.equal(
    lackingText((feature) => features.has(feature)),
    'reaching ports that are not published; what the next build will do',
  );
  assert.equal(
    lackingText(() => true),
    '',
  );
  assert.match(lacksText('Docker', 'pinnace'), /^Docker is not a Pinnace engine/);
});

test('a rootless engine on cgroup v1 cannot pause, nor count', () => {
  const info = { CgroupVersion: '1', SecurityOptions: ['name=seccomp', 'name=rootless'] };
  const features = featuresOf(other({ info }));
  assert.equal(features.has('pause') || features.has('stats'), false);
  const newer = featuresOf(other({ info: { ...info, CgroupVersion: '2' } }));
  assert.equal(newer.has('pause') && newer.has('stats'), true);
  assert.equal(featuresOf(other({ info: { SecurityOptions: null } })).has('pause'), true);
});

test('a Pinnace engine without a freezer cannot pause', () => {
  const pinnace = (controllers: string[], number: number): Facts =>
    other({
      pinnace: {
        mode: 'rootless',
        probe: { cgroup: { version: number, controllers } },
      } as unknown as PinnaceInfo,
    });
  assert.equal(featuresOf(pinnace(['memory'], 1)).has('pause'), false);
  assert.equal(featuresOf(pinnace(['freezer'], 1)).has('pause'), true);
  assert.equal(featuresOf(pinnace([], 2)).has('pause'), true);
  assert.equal(featuresOf(pinnace([], 2)).has('pinnace'), true);
});
