// Installs the Debian packages that the tests use; says what it does, and what is missing when it may not.
import { must, run } from './shell.ts';

/** Package → why the tests need it. */
const PACKAGES: Record<string, string> = {
  'busybox-static': 'the smallest image',
  mmdebstrap: 'the Debian images',
  'debian-archive-keyring': 'the Debian images',
  uidmap: 'newuidmap and newgidmap for rootless',
  'docker-registry': 'a real registry',
  'docker.io': 'the docker command line where the machine has none',
  crun: 'the runtime that the contract suite also runs on',
  'openssh-client': 'engines on other machines',
  'openssh-server': 'engines on other machines',
  podman: 'drives our runtime',
  conmon: 'drives our runtime',
  neovim: 'another editor for the language server',
  shellcheck: 'its findings beside those of the linter',
  skopeo: 'makes images of every form for the registry',
  strace: 'counts system calls in the tests of the runtime',
  'qemu-system-x86': 'a guest with cgroup v2 alone',
  cpio: "packs the guest's root",
  zstd: 'archives in every compression',
  passt: 'a peer of the network benchmark',
  slirp4netns: 'a peer of the network benchmark',
  chromium: 'the browser that drives the workbench',
  'libkrb5-dev': 'what code-server is compiled with',
  python3: 'compiles code-server, and Docker SDK tests',
  make: 'compiles code-server',
  'g++': 'compiles code-server',
};

async function missing(names: readonly string[]): Promise<string[]> {
  const { output } = await run(
    'dpkg-query',
    ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names],
    { output: 'collect' },
  );
  const installed = new Set(
    output
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/** Installs what is missing of the named packages (all by default). Throws where that needs another user. */
export async function ensurePackages(
  wanted: readonly string[] = Object.keys(PACKAGES),
): Promise<void> {
  const names = await missing(wanted);
  if (names.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  if (process.getuid?.() !== 0) throw new Error(`Debian packages are missing; as root: ${command}`);
  console.log(`setup: installing Debian packages: ${names.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await must('apt-get', ['update', '-qq'], { output: 'collect', env });
  // A package's own service must not start: the tests start what they need, and end it.
  const policy = '/usr/sbin/policy-rc.d';
  await must(
    'sh',
    [
      '-c',
      `[ -e ${policy} ] || { printf '#!/bin/sh\\nexit 101\\n' > ${policy}; chmod +x ${policy}; echo made; }; ${command} -qq; s=$?; grep -qs 'exit 101' ${policy} && rm -f ${policy}; exit $s`,
    ],
    {
      output: 'collect',
      env,
    },
  );
}
