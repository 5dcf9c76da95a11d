/** Tests of where the engine's own control group is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnticipation, ownProcs } from './anticipate.ts';

test('the first v1 hierarchy with a controller is taken', () => {
  const text = '9:name=systemd:/\n4:memory:/a/b\n2:cpu,cpuacct:/\n0::/\n';
  assert.equal(ownProcs(text), '/sys/fs/cgroup/memory/a/b/cgroup.procs');
  assert.equal(ownProcs('2:cpu,cpuacct:/x\n0::/\n'), '/sys/fs/cgroup/cpu,cpuacct/x/cgroup.procs');
});

test('on v2 alone there is nothing to do', () => {
  assert.equal(ownProcs('0::/user.slice\n'), undefined);
  assert.equal(ownProcs(''), undefined);
});

test('asking never throws, however often', () => {
  const anticipate = createAnticipation();
  for (let turn = 0; turn < 10; turn += 1) anticipate();
});
