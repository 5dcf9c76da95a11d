/** Docker's flags for making a container, as one table that commander reads. Their meaning is container-options.ts. */

import { type Command, Option } from 'commander';

/** What commander gives for the flags of `addContainerFlags`. */
export interface ContainerFlags {
  interactive?: boolean;
  tty?: boolean;
  detach?: boolean;
  rm?: boolean;
  init?: boolean;
  privileged?: boolean;
  readOnly?: boolean;
  publishAll?: boolean;
  oomKillDisable?: boolean;
  healthcheck: boolean;
  name?: string;
  hostname?: string;
  domainname?: string;
  user?: string;
  workdir?: string;
  entrypoint?: string;
  network: string[];
  net: string[];
  ip?: string;
  ip6?: string;
  macAddress?: string;
  ipc?: string;
  pid?: string;
  uts?: string;
  cgroupns?: string;
  restart?: string;
  memory?: string;
  memorySwap?: string;
  memoryReservation?: string;
  cpus?: string;
  cpuShares?: string;
  cpuPeriod?: string;
  cpuQuota?: string;
  cpusetCpus?: string;
  cpusetMems?: string;
  pidsLimit?: string;
  blkioWeight?: string;
  oomScoreAdj?: string;
  shmSize?: string;
  stopSignal?: string;
  stopTimeout?: string;
  logDriver?: string;
  platform?: string;
  pull: string;
  healthCmd?: string;
  healthInterval?: string;
  healthTimeout?: string;
  healthRetries?: string;
  healthStartPeriod?: string;
  attach: string[];
  env: string[];
  envFile: string[];
  label: string[];
  volume: string[];
  mount: string[];
  tmpfs: string[];
  publish: string[];
  expose: string[];
  addHost: string[];
  dns: string[];
  dnsSearch: string[];
  dnsOption: string[];
  networkAlias: string[];
  link: string[];
  capAdd: string[];
  capDrop: string[];
  groupAdd: string[];
  device: string[];
  sysctl: string[];
  ulimit: string[];
  securityOpt: string[];
  volumesFrom: string[];
  logOpt: string[];
}

const SWITCHES: readonly [flags: string, text: string][] = [
  ['-i, --interactive', 'keep standard input open'],
  ['-t, --tty', 'allocate a pseudo-terminal'],
  ['-d, --detach', 'run in the background and print the container id'],
  ['--rm', 'remove the container when it ends'],
  ['--init', 'run an init that forwards signals and reaps processes'],
  ['--privileged', 'give extended privileges'],
  ['--read-only', 'mount the root file system read-only'],
  ['-P, --publish-all', 'publish all exposed ports'],
  ['--oom-kill-disable', 'disable the OOM killer'],
  ['--no-healthcheck', "disable the image's health check"],
];

const VALUES: readonly [flags: string, text: string][] = [
  ['--name <name>', 'name of the container'],
  ['-h, --hostname <name>', 'host name'],
  ['--domainname <name>', 'NIS domain name'],
  ['-u, --user <user>', 'user[:group], names or numbers'],
  ['-w, --workdir <dir>', 'working directory'],
  ['--entrypoint <program>', "instead of the image's entrypoint"],
  ['--ip <address>', 'IPv4 address'],
  ['--ip6 <address>', 'IPv6 address'],
  ['--mac-address <address>', 'hardware address'],
  ['--ipc <mode>', 'IPC name space'],
  ['--pid <mode>', 'PID name space'],
  ['--uts <mode>', 'UTS name space'],
  ['--cgroupns <mode>', 'cgroup name space: host, private'],
  ['--restart <policy>', 'no, always, unless-stopped, on-failure[:N]'],
  ['-m, --memory <bytes>', 'memory limit'],
  ['--memory-swap <bytes>', 'memory and swap limit, -1: none'],
  ['--memory-reservation <bytes>', 'soft memory limit'],
  ['--cpus <number>', 'number of processors'],
  ['-c, --cpu-shares <n>', 'relative weight'],
  ['--cpu-period <us>', 'CFS period'],
  ['--cpu-quota <us>', 'CFS quota'],
  ['--cpuset-cpus <list>', 'processors to run on'],
  ['--cpuset-mems <list>', 'memory nodes'],
  ['--pids-limit <n>', 'process limit, -1: none'],
  ['--blkio-weight <n>', 'relative block I/O weight'],
  ['--oom-score-adj <n>', 'OOM preference, -1000 to 1000'],
  ['--shm-size <bytes>', 'size of /dev/shm'],
  ['--stop-signal <signal>', 'signal that stops the container'],
  ['--stop-timeout <seconds>', 'time to stop before it is killed'],
  ['--log-driver <name>', 'json-file, local or none'],
  ['--platform <platform>', 'os/arch[/variant]'],
  ['--health-cmd <command>', 'command of the health check'],
  ['--health-interval <duration>', 'time between checks'],
  ['--health-timeout <duration>', 'time a check may take'],
  ['--health-retries <n>', 'failures to be unhealthy'],
  ['--health-start-period <duration>', 'time to start before failures count'],
];

const LISTS: readonly [flags: string, text: string][] = [
  ['-a, --attach <stream>', 'attach to stdin, stdout or stderr'],
  ['-e, --env <name[=value]>', 'environment variable'],
  ['--env-file <file>', 'file of environment variables'],
  ['-l, --label <key[=value]>', 'label'],
  ['-v, --volume <spec>', 'source:target[:options]'],
  ['--mount <spec>', 'type=…,source=…,target=…'],
  ['--tmpfs <target[:options]>', 'tmpfs mount'],
  ['-p, --publish <spec>', '[address:][host port:]port[/protocol]'],
  ['--expose <port>', 'expose a port'],
  [
    '--network <network>',
    'a network, none, host or container:ID; name=…,alias=…,ip=… for one of several',
  ],
  ['--network-alias <name>', 'another name on the network'],
  ['--link <container[:alias]>', 'call another container so'],
  ['--add-host <name:address>', 'line of /etc/hosts; host-gateway is the host'],
  ['--dns <address>', 'DNS server'],
  ['--dns-search <domain>', 'DNS search domain'],
  ['--dns-option <option>', 'option of resolv.conf'],
  ['--cap-add <name>', 'add a capability'],
  ['--cap-drop <name>', 'drop a capability'],
  ['--group-add <group>', 'additional group'],
  ['--device <spec>', 'host path[:path[:rwm]]'],
  ['--sysctl <key=value>', 'kernel parameter of the name spaces'],
  ['--ulimit <name=soft[:hard]>', 'resource limit'],
  ['--security-opt <option>', 'seccomp=…, no-new-privileges'],
  ['--volumes-from <container>', 'mounts of another container'],
  ['--log-opt <key=value>', 'option of the log driver'],
];

/** Adds docker's flags for making a container. */
export function addContainerFlags(command: Command): Command {
  for (const [flags, text] of SWITCHES) command.option(flags, text);
  for (const [flags, text] of VALUES) command.option(flags, text);
  for (const [flags, text] of LISTS)
    command.addOption(
      new Option(flags, text)
        .default([])
        .argParser((value: string, all: string[]) => [...all, value]),
    );
  command.addOption(
    new Option('--net <network>')
      .hideHelp()
      .default([])
      .argParser((value: string, all: string[]) => [...all, value]),
  );
  command.addOption(
    new Option('--pull <when>', 'pull the image first')
      .choices(['always', 'missing', 'never'])
      .default('missing'),
  );
  return command;
}
