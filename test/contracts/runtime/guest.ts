/** A small virtual machine whose kernel mounts cgroup v2 alone: Debian's cloud kernel in QEMU, the binary and a script in its first file system. It must never touch the host's cgroups. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Rig } from './rig.ts';

const CACHE = new URL('../../../.cache/kernel/', import.meta.url).pathname;

/** Moves to a tmpfs first: pivot_root does not work from the first file system. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
if [ ! -e /switched ]; then
  mkdir /new && mount -t tmpfs new /new
  cp -a /bin /etc /bundles /rootfs /init /script /new/
  mkdir -p /new/proc /new/sys /new/dev /new/run /new/tmp /new/layers; touch /new/switched
  exec switch_root /new /init
fi
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mount -t tmpfs run /run; mount -t tmpfs layers /layers; mount -t cgroup2 cgroup /sys/fs/cgroup
insmod /etc/overlay.ko
echo BEGIN
sh /script 2>&1
echo END
reboot -f
`;

/** Runs a shell script as root of the guest; `bundles` are config.json texts at /bundles/NAME, the root file system is /rootfs. Gives its output. */
export function runGuest(
  rig: Rig,
  script: string,
  bundles: Readonly<Record<string, string>>,
): string {
  const kernel = fetchKernel(rig);
  const tree = rig.fresh('guest');
  for (const folder of ['bin', 'etc', 'bundles', 'proc', 'sys', 'dev', 'run', 'tmp'])
    mkdirSync(join(tree, folder), { recursive: true });
  copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
  const binary = rig.command('ours', [])[0] ?? '';
  rig.exec(['strip', '-o', join(tree, 'bin/pinnace-native'), binary]);
  for (const name of ['busybox', 'pinnace-native']) chmodSync(join(tree, 'bin', name), 0o755);
  rig.exec(['cp', '-a', rig.rootfs, join(tree, 'rootfs')]);
  copyFileSync(join(CACHE, 'overlay.ko'), join(tree, 'etc/overlay.ko'));
  writeFileSync(join(tree, 'init'), INIT, { mode: 0o755 });
  writeFileSync(join(tree, 'script'), script);
  for (const [name, text] of Object.entries(bundles)) {
    mkdirSync(join(tree, 'bundles', name));
    writeFileSync(join(tree, 'bundles', name, 'config.json'), text);
  }
  const image = rig.fresh('initrd');
  const packed = rig.exec([
    'sh',
    '-c',
    `cd ${tree} && find . | busybox cpio -o -H newc | gzip -1 >${image}`,
  ]);
  assert.equal(packed.status, 0, packed.stderr);
  const machine = [
    '-M',
    'microvm,acpi=off',
    '-m',
    '512',
    '-nodefaults',
    '-no-user-config',
    '-no-reboot',
  ];
  const console = [
    '-nographic',
    '-serial',
    'stdio',
    '-append',
    'console=ttyS0 panic=-1 quiet reboot=t',
  ];
  const ran = rig.exec([
    'timeout',
    '250',
    'qemu-system-x86_64',
    ...machine,
    ...console,
    '-kernel',
    kernel,
    '-initrd',
    image,
  ]);
  const output = /BEGIN\r?\n([^]*?)END\r?\n/.exec(ran.stdout)?.[1];
  assert.ok(output !== undefined, `the guest did not end: ${ran.stdout}${ran.stderr}`);
  return output.replaceAll('\r', '');
}

/** Debian's cloud kernel and its overlay module, from the package mirror once. */
function fetchKernel(rig: Rig): string {
  const kernel = join(CACHE, 'vmlinuz');
  if (existsSync(kernel)) return kernel;
  mkdirSync(CACHE, { recursive: true });
  const script = `
cd "$0" && set -e
name=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends/ {print $2; exit}')
apt-get download "$name" && dpkg-deb -x "$name"_*.deb tree
cp tree/lib/modules/*/kernel/fs/overlayfs/overlay.ko overlay.ko
cp tree/boot/vmlinuz-* vmlinuz.new
rm -rf tree ./*.deb
mv vmlinuz.new vmlinuz`;
  const fetched = rig.exec(['sh', '-c', script, CACHE]);
  assert.ok(
    existsSync(kernel),
    `no kernel for the guest (${readdirSync(CACHE).join()}): ${fetched.stderr}`,
  );
  return kernel;
}
