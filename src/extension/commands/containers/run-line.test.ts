/** The docker run line: what it says, what it leaves to the image, and that a shell reads it back as it was. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ContainerConfig, ContainerInspect, HostConfig } from '../../../lib/api/containers.ts';
import type { ImageInspect } from '../../../lib/api/images.ts';
import type { RunConfig } from '../../../lib/image/config.ts';
import { quoteWord, runLine } from './run-line.ts';

const ID = 'c0ffee'.padEnd(64, '0');

interface Given {
  readonly config?: ContainerConfig;
  readonly host?: HostConfig;
  readonly networks?: ContainerInspect['NetworkSettings']['Networks'];
  readonly image?: RunConfig | 'gone';
}

/** The flags and words of the line, without `docker run` and the name. */
function line({ config = {}, host = {}, networks = {}, image = {} }: Given): string {
  const container = {
    Id: ID,
    Name: '/web',
    Image: 'sha256:1234',
    Config: { Image: 'nginx:1', ...config },
    HostConfig: host,
    NetworkSettings: { Networks: networks },
  } as ContainerInspect;
  const known = image === 'gone' ? undefined : ({ Config: image } as ImageInspect);
  return runLine(container, known)
    .replaceAll(' \\\n  ', ' ')
    .replace(/^docker run --detach --name web /, '');
}

function check(given: Given, expected: string): void {
  assert.equal(line(given), expected);
}

test('a plain container is its image and its name', () => {
  check({}, 'nginx:1');
  check({ config: { Hostname: ID.slice(0, 12) } }, 'nginx:1');
});

test('of Podman only what somebody asked for is said, in words that docker knows', () => {
  const env = ['TERM=xterm', 'container=podman', 'HOME=/root', `HOSTNAME=${ID.slice(0, 12)}`];
  const config = { WorkingDir: '/', StopSignal: '15', StopTimeout: 0, Env: env };
  const host = {
    NetworkMode: 'bridge',
    Binds: ['/tmp:/host:rw,rprivate,rbind', 'data:/data:ro,rprivate,nosuid,nodev,rbind'],
    Tmpfs: { '/s': 'size=1m,rw,rprivate,nosuid,nodev,tmpcopyup' },
    MemorySwappiness: 0,
    ShmSize: 65_536_000,
  };
  const networks = { podman: {} } as never;
  check({ config, networks }, 'nginx:1');
  check(
    { config: { ...config, StopSignal: '2', Env: [...env, 'A=1'] }, host, networks },
    '--env A=1 --stop-signal SIGINT --volume /tmp:/host --volume data:/data:ro --tmpfs /s:size=1m nginx:1',
  );
  const ulimits = [{ Name: 'RLIMIT_NOFILE', Soft: 1024, Hard: 2048 }];
  check(
    { config, host: { NetworkMode: 'bridge', Ulimits: ulimits }, networks: { back: {} } },
    '--network back --ulimit nofile=1024:2048 nginx:1',
  );
  // The same words of another engine are somebody's wish.
  check(
    { config: { StopTimeout: 0, Env: ['TERM=xterm'] } },
    '--env TERM=xterm --stop-timeout 0 nginx:1',
  );
});

test('what the image brings is left out, what differs is said', () => {
  const image = {
    Env: ['A=1'],
    Cmd: ['serve'],
    WorkingDir: '/srv',
    User: 'www',
    Labels: { a: 'b' },
    ExposedPorts: { '80/tcp': {} },
  };
  const same = {
    Env: ['A=1'],
    Cmd: ['serve'],
    WorkingDir: '/srv',
    User: 'www',
    Labels: { a: 'b' },
    ExposedPorts: { '80/tcp': {} },
  };
  check({ image, config: same }, 'nginx:1');
  check({ image, config: { ...same, Env: ['A=2', 'B=x y'] } }, "--env A=2 --env 'B=x y' nginx:1");
  check({ image, config: { ...same, Cmd: ['serve', '-v'] } }, 'nginx:1 serve -v');
  check(
    { image, config: { ...same, User: 'root', WorkingDir: '/' } },
    '--user root --workdir / nginx:1',
  );
  check(
    { image, config: { ...same, Labels: { a: 'c', empty: '' } } },
    '--label a=c --label empty nginx:1',
  );
  check({ image: 'gone', config: { Env: ['A=1'], Cmd: ['serve'] } }, '--env A=1 nginx:1 serve');
});

test('another entry point takes the words after it along', () => {
  check(
    {
      image: { Entrypoint: ['/init'], Cmd: ['a'] },
      config: { Entrypoint: ['/bin/sh', '-c'], Cmd: ['echo "$HOME"'] },
    },
    '--entrypoint /bin/sh nginx:1 -c \'echo "$HOME"\'',
  );
  check(
    { image: { Entrypoint: ['/init'] }, config: { Entrypoint: null, Cmd: ['ls'] } },
    "--entrypoint '' nginx:1 ls",
  );
  check(
    { image: { Entrypoint: ['/init'], Cmd: ['a'] }, config: { Entrypoint: ['/init'], Cmd: null } },
    'nginx:1',
  );
});

test('terminals and standard input', () => {
  const container = {
    Id: ID,
    Name: '/web',
    Image: 'x',
    Config: { Image: 'nginx:1', AttachStdin: true, AttachStdout: true, OpenStdin: true, Tty: true },
    HostConfig: { AutoRemove: true },
    NetworkSettings: { Networks: {} },
  } as unknown as ContainerInspect;
  assert.equal(
    runLine(container, undefined),
    'docker run --interactive --tty --name web --rm nginx:1',
  );
});

test('ports', () => {
  check(
    { host: { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } } },
    '--publish 8080:80 nginx:1',
  );
  check(
    {
      host: {
        PortBindings: {
          '53/udp': [
            { HostIp: '127.0.0.1', HostPort: '53' },
            { HostIp: '::1', HostPort: '' },
          ],
        },
      },
    },
    "--publish 127.0.0.1:53:53/udp --publish '[::1]::53/udp' nginx:1",
  );
  check(
    { host: { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '' }], '90/tcp': null } } },
    '--publish 80 nginx:1',
  );
  check(
    { host: { PublishAllPorts: true }, config: { ExposedPorts: { '9000/tcp': {} } } },
    '--publish-all --expose 9000 nginx:1',
  );
});

test('networks, one short, several long', () => {
  check({ host: { NetworkMode: 'bridge' }, networks: { bridge: {} } }, 'nginx:1');
  check(
    { host: { NetworkMode: 'host' }, networks: { host: {} }, config: { Hostname: 'machine' } },
    '--network host nginx:1',
  );
  check({ host: { NetworkMode: 'container:abc' } }, '--network container:abc nginx:1');
  check(
    {
      host: { NetworkMode: 'back' },
      networks: {
        back: { Aliases: ['db', ID.slice(0, 12)], IPAMConfig: { IPv4Address: '10.0.0.9' } },
      },
    },
    '--network back --ip 10.0.0.9 --network-alias db nginx:1',
  );
  check(
    {
      host: { NetworkMode: 'back' },
      networks: { back: { Aliases: ['db'] }, front: { IPAMConfig: { IPv6Address: 'fd00::2' } } },
    },
    '--network name=back,alias=db --network name=front,ip6=fd00::2 nginx:1',
  );
  check(
    { host: { NetworkMode: 'default' }, networks: { bridge: {}, front: {} } },
    '--network bridge --network front nginx:1',
  );
});

test('names and hosts', () => {
  check(
    {
      host: {
        Dns: ['1.1.1.1'],
        DnsSearch: ['corp'],
        DnsOptions: ['ndots:2'],
        ExtraHosts: ['a:10.0.0.1'],
        Links: ['/db:/web/database'],
      },
      config: { Hostname: 'box', Domainname: 'lan' },
    },
    '--hostname box --domainname lan --link db:database --dns 1.1.1.1 --dns-option ndots:2 --dns-search corp --add-host a:10.0.0.1 nginx:1',
  );
});

test('mounts', () => {
  check(
    {
      host: {
        Binds: ['/my dir:/data:ro', 'named:/var'],
        Tmpfs: { '/run': '', '/tmp': 'size=1m' },
        VolumesFrom: ['other:ro'],
      },
      config: { Volumes: { '/cache': {}, '/own': {} } },
      image: { Volumes: { '/own': {} } },
    },
    "--volume '/my dir:/data:ro' --volume named:/var --volume /cache --volumes-from other:ro --tmpfs /run --tmpfs /tmp:size=1m nginx:1",
  );
  check(
    {
      host: {
        Mounts: [
          {
            Type: 'bind',
            Source: '/a,b',
            Target: '/t"q',
            ReadOnly: true,
            BindOptions: { Propagation: 'rslave' },
          },
        ],
      },
    },
    `--mount 'type=bind,"source=/a,b","target=/t""q",readonly,bind-propagation=rslave' nginx:1`,
  );
  check(
    {
      host: {
        Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 4096, Mode: 0o1777 } }],
      },
    },
    '--mount type=tmpfs,target=/t,tmpfs-size=4096,tmpfs-mode=1777 nginx:1',
  );
  check(
    {
      host: {
        Mounts: [
          {
            Type: 'volume',
            Source: 'v',
            Target: '/t',
            VolumeOptions: {
              NoCopy: true,
              Subpath: 's',
              Labels: { k: 'v' },
              DriverConfig: { Name: 'nfs', Options: { o: 'addr=1' } },
            },
          },
        ],
      },
    },
    '--mount type=volume,source=v,target=/t,volume-nocopy,volume-subpath=s,volume-driver=nfs,volume-opt=o=addr=1,volume-label=k=v nginx:1',
  );
});

test('limits', () => {
  check(
    {
      host: {
        Memory: 1024,
        MemorySwap: 2048,
        NanoCpus: 1.5e9,
        CpuShares: 512,
        PidsLimit: 100,
        ShmSize: 67_108_864,
      },
    },
    '--memory 1024 --cpus 1.5 --cpu-shares 512 --pids-limit 100 nginx:1',
  );
  check(
    {
      host: {
        Memory: 1024,
        MemorySwap: -1,
        MemorySwappiness: 0,
        OomKillDisable: true,
        OomScoreAdj: -5,
        CpusetCpus: '0-1',
        CpuQuota: 50_000,
        CpuPeriod: 100_000,
        ShmSize: 1024,
      },
    },
    '--memory 1024 --memory-swap -1 --memory-swappiness 0 --oom-kill-disable --oom-score-adj -5 --cpu-period 100000 --cpu-quota 50000 --cpuset-cpus 0-1 --shm-size 1024 nginx:1',
  );
  check(
    {
      host: {
        BlkioWeight: 300,
        BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1000 }],
        BlkioDeviceWriteIOps: [{ Path: '/dev/sda', Rate: 5 }],
        Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      },
    },
    '--blkio-weight 300 --device-read-bps /dev/sda:1000 --device-write-iops /dev/sda:5 --ulimit nofile=1:2 nginx:1',
  );
  check(
    { host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } } },
    '--restart on-failure:3 nginx:1',
  );
  check({ host: { RestartPolicy: { Name: 'no' }, PidsLimit: null } }, 'nginx:1');
  check({ host: { LogConfig: { Type: 'json-file', Config: {} } } }, 'nginx:1');
  check(
    { host: { LogConfig: { Type: 'syslog', Config: { tag: 'x y' } } } },
    "--log-driver syslog --log-opt 'tag=x y' nginx:1",
  );
});

test('rights and devices', () => {
  check({ host: { Privileged: true, SecurityOpt: ['label=disable'] } }, '--privileged nginx:1');
  check(
    {
      host: {
        CapAdd: ['NET_ADMIN'],
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        GroupAdd: ['7'],
        Sysctls: { 'net.core.somaxconn': '9' },
      },
    },
    '--cap-add NET_ADMIN --cap-drop ALL --security-opt no-new-privileges --group-add 7 --sysctl net.core.somaxconn=9 nginx:1',
  );
  check(
    {
      host: {
        Devices: [
          { PathOnHost: '/dev/kvm', PathInContainer: '/dev/kvm', CgroupPermissions: 'rwm' },
          { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'r' },
        ],
      },
    },
    '--device /dev/kvm --device /dev/a:/dev/b:r nginx:1',
  );
  check(
    {
      host: {
        DeviceRequests: [{ Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']] }],
      },
    },
    '--gpus all nginx:1',
  );
  check(
    { host: { DeviceRequests: [{ Driver: '', Count: 0, DeviceIDs: ['0', '1'] }] } },
    `--gpus '"device=0,1"' nginx:1`,
  );
  check(
    {
      host: {
        Init: true,
        ReadonlyRootfs: true,
        IpcMode: 'host',
        PidMode: 'host',
        UTSMode: 'host',
        UsernsMode: 'host',
        CgroupnsMode: 'host',
        Runtime: 'runsc',
        CgroupParent: 'x.slice',
      },
    },
    '--cgroup-parent x.slice --init --read-only --ipc host --pid host --uts host --userns host --cgroupns host --runtime runsc nginx:1',
  );
  check({ host: { IpcMode: 'private', CgroupnsMode: 'private', Runtime: 'runc' } }, 'nginx:1');
});

test('health checks and ends', () => {
  check(
    {
      config: {
        Healthcheck: {
          Test: ['CMD-SHELL', 'curl -f localhost'],
          Interval: 30e9,
          Timeout: 1500e6,
          Retries: 3,
        },
      },
    },
    "--health-cmd 'curl -f localhost' --health-interval 30s --health-timeout 1500ms --health-retries 3 nginx:1",
  );
  check({ config: { Healthcheck: { Test: ['NONE'] } } }, '--no-healthcheck nginx:1');
  check(
    { config: { Healthcheck: { Test: ['CMD', 'a b', 'c'] } } },
    `--health-cmd ''\\''a b'\\'' c' nginx:1`,
  );
  check(
    { config: { Healthcheck: { Test: ['NONE'] } }, image: { Healthcheck: { Test: ['NONE'] } } },
    'nginx:1',
  );
  check(
    { config: { StopSignal: 'SIGINT', StopTimeout: 0 } },
    '--stop-signal SIGINT --stop-timeout 0 nginx:1',
  );
  check({ config: { StopSignal: 'SIGTERM' } }, 'nginx:1');
});

test('a long line has a flag on each line', () => {
  const container = {
    Id: ID,
    Name: '/web',
    Image: 'x',
    Config: { Image: 'nginx:1', Env: ['A='.padEnd(130, 'x')] },
    HostConfig: {},
    NetworkSettings: { Networks: {} },
  } as unknown as ContainerInspect;
  assert.match(
    runLine(container, undefined),
    /^docker run --detach \\\n {2}--name web \\\n {2}--env A=x+ \\\n {2}nginx:1$/,
  );
});

test('whatever the words are, a shell reads them back', () => {
  const word = fc
    .string({ unit: 'binary', maxLength: 12 })
    .map((text) => text.replaceAll('\0', '').toWellFormed());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const script = `for w in ${words.map(quoteWord).join(' ')}; do printf '%s\\0' "$w"; done`;
      const read = execFileSync('/bin/sh', ['-c', script]).toString().split('\0').slice(0, -1);
      assert.deepEqual(read, words);
    }),
    { numRuns: 60 },
  );
});
