// `probe` on the real kernel: its answer has the shape of docs/native.md, agrees with what `enter` does, is
// fast and leaves nothing behind.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Rig, type Json, type Mode } from './shim-rig.ts';

const modes: readonly Mode[] = ['system', 'rootless', 'single-id'];

for (const mode of modes) {
  describe(`probe where ${mode} is the mode`, () => {
    let rig: Rig;
    before(() => {
      rig = new Rig(mode);
    });
    after(async () => {
      await rig.dispose();
    });

    const probe = (): Json => {
      const [command, ...args] = rig.asUser([join(rig.root, 'pn'), 'probe']);
      assert.ok(command);
      const result = spawnSync(command, args, { encoding: 'utf8' });
      assert.equal(result.status, 0, result.stderr);
      assert.equal(result.stderr, '');
      return JSON.parse(result.stdout) as Json;
    };

    it('says what the machine allows', () => {
      const answer = probe();
      assert.equal(answer['mode'], mode);
      assert.equal(answer['uid'], rig.ids.uid);
      assert.equal(answer['kernel'], readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
      for (const name of [
        'userns',
        'overlay',
        'seccomp',
        'tun',
        'network',
        'apparmorRestrictsUserns',
      ]) {
        assert.equal(typeof answer[name], 'boolean', name);
      }
      assert.equal(answer['userns'], true);
      assert.equal(answer['seccomp'], true);
      const cgroup = answer['cgroup'] as Json;
      assert.ok(cgroup['version'] === 1 || cgroup['version'] === 2);
      assert.ok(Array.isArray(cgroup['controllers']));
      const ranges = answer['subuid'] as { start: number; count: number }[];
      assert.equal(ranges.length, mode === 'rootless' ? 1 : 0);
    });

    it('gives a remedy with every finding that is not ok', () => {
      const findings = probe()['findings'] as Record<string, unknown>[];
      assert.ok(findings.length >= 4);
      for (const finding of findings) {
        assert.match(String(finding['level']), /^(ok|warn|fail)$/u);
        assert.ok(String(finding['message']).length > 10);
        if (finding['level'] !== 'ok') assert.equal(typeof finding['remedy'], 'string');
      }
    });

    it('leaves no mount and no cgroup', () => {
      const before = readFileSync('/proc/self/mounts', 'utf8');
      probe();
      assert.equal(readFileSync('/proc/self/mounts', 'utf8'), before);
      const left = spawnSync('find', [
        '/sys/fs/cgroup',
        '-name',
        'pinnace-probe-*',
      ]).stdout.toString();
      assert.equal(left, '');
      assert.equal(existsSync('/tmp/merged'), false);
    });
  });
}
