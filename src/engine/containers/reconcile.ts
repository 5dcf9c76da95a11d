/** Brings the rows and what really runs together when the engine starts: whatever the last engine was doing when it ended. */

import { messageOf } from '../../lib/errors.ts';
import { buildSpec } from '../runtime/spec.ts';
import type { Container } from './container.ts';
import type { Lifecycle } from './lifecycle.ts';
import { placesOf } from './parts.ts';
import type { ContainersParts } from './parts.ts';
import { retire } from './remove.ts';
import type { Remover } from './remove.ts';
import { processEnv } from './request/config.ts';
import { securityOf } from './request/host-config.ts';
import type { ContainerTable } from './table.ts';

export interface ReconcileParts extends ContainersParts {
  readonly table: ContainerTable;
  readonly lifecycle: Lifecycle;
  readonly remover: Remover;
}

/** Attaches to living containers, records the end of others, removes what has no row, starts what its policy wants. */
export async function reconcile(parts: ReconcileParts): Promise<void> {
  const { table, remover, warn } = parts;
  await remover.reconcile();
  await Promise.all(
    table.all().map((container) =>
      reconcileOne(container, parts).catch((error: unknown) => {
        warn(`container ${container.id} could not be taken up again: ${messageOf(error)}`);
      }),
    ),
  );
  // Nobody waits for it: links are there already unless the helper was lost too.
  parts.sandboxes.reconcile().catch((error: unknown) => {
    warn(`the containers' networks could not be taken up again: ${messageOf(error)}`);
  });
}

async function reconcileOne(container: Container, parts: ReconcileParts): Promise<void> {
  const { runtime, places, lifecycle, table } = parts;
  const dir = placesOf(places, container.id).shim;
  if (container.isLive) {
    const shim = await runtime.find(dir);
    if (shim === undefined) {
      // Its end is recorded first: what is left is cleared with it.
      await lifecycle.settle(container);
      return;
    }
    container.process = inheritedProcess(container, parts);
    lifecycle.adopt(container, shim);
    return;
  }
  // A row that says "not running" is the truth: what an unfinished start left goes.
  await retire(dir, runtime);
  if (container.state.status === 'restarting') lifecycle.resumeRestart(container);
  else if (container.state.status === 'removing')
    await parts.remover.erase(container, { volumes: true });
  else if (
    container.definition.hostConfig.AutoRemove === true &&
    container.state.status === 'exited'
  ) {
    await parts.remover.erase(container, { volumes: true });
  } else if (container.state.status === 'dead') table.save(container, { status: 'exited' });
}

/** The rights that later execs inherit, built again from the definition. */
function inheritedProcess(container: Container, parts: ReconcileParts): Container['process'] {
  const { config, hostConfig, path, args } = container.definition;
  const { noNewPrivileges, seccomp } = securityOf(hostConfig);
  return buildSpec({
    host: parts.host,
    process: {
      args: [path, ...args],
      env: processEnv(config),
      cwd: '/',
      user: config.User ?? '',
      tty: config.Tty === true,
    },
    root: { lowers: [], upper: '', work: '' },
    hostname: '',
    cgroupsPath: '',
    privileged: hostConfig.Privileged === true,
    capAdd: hostConfig.CapAdd ?? [],
    capDrop: hostConfig.CapDrop ?? [],
    noNewPrivileges,
    seccomp,
    ulimits: hostConfig.Ulimits ?? [],
    additionalGids: (hostConfig.GroupAdd ?? [])
      .filter((group) => /^[0-9]+$/.test(group))
      .map(Number),
    ...(hostConfig.OomScoreAdj === undefined || hostConfig.OomScoreAdj === 0
      ? {}
      : { oomScoreAdj: hostConfig.OomScoreAdj }),
  }).process;
}
