/** Gives the builder's RUN steps their networks: the same bridges that containers have, another container's network, or the host's. */

import { readFile } from 'node:fs/promises';
import { EngineError } from '../../lib/errors.ts';
import type { StepNetwork, StepNetworks } from '../builder/types.ts';
import type { Containers } from '../containers/types.ts';
import { resolvText } from '../containers/files/hosts.ts';
import { NO_WISH } from '../containers/networking/wishes.ts';
import { mainEndpoint, plainAddresses } from '../network/naming.ts';
import type { Sandboxes } from '../network/types.ts';

export interface StepNetworkParts {
  readonly sandboxes: Sandboxes;
  readonly containers: () => Pick<Containers, 'inspect'> | undefined;
}

export function createStepNetworks(parts: StepNetworkParts): StepNetworks {
  return {
    open: async (mode, step) => {
      const name = mode === '' || mode === 'default' ? 'bridge' : mode;
      if (name === 'host') return plain('host', await machineResolv());
      if (name === 'none') return plain('private', '');
      if (name.startsWith('container:')) return joined(name.slice('container:'.length), parts);
      if (!parts.sandboxes.possible) return plain('private', '');
      return connected(name, step, parts.sandboxes);
    },
  };
}

async function connected(
  network: string,
  step: string,
  sandboxes: Sandboxes,
): Promise<StepNetwork> {
  const tenant = { id: `build-${step}`, name: `build-${step}`, hostname: step };
  const prepared = sandboxes.prepare(tenant, new Map([[network, NO_WISH]]));
  const { endpoints } = prepared;
  const gateway = mainEndpoint(endpoints)?.gateways[0];
  return {
    namespace: 'private',
    resolvConf: resolvText({
      host: {},
      machineResolv: await machineResolv(),
      server: gateway,
      knowsNames: network !== 'bridge',
    }),
    addresses: endpoints.flatMap(plainAddresses),
    gateway,
    connect: async (process) => {
      await sandboxes.connect(prepared, process, []);
    },
    close: async () => {
      await sandboxes.disconnect(tenant.id);
      sandboxes.abandon(prepared);
    },
  };
}

async function joined(reference: string, parts: StepNetworkParts): Promise<StepNetwork> {
  const other = await parts.containers()?.inspect(reference, { size: false });
  if (other === undefined) throw new EngineError('not-found', `No such container: ${reference}`);
  if (!other.State.Running || other.State.Pid === 0) {
    throw new EngineError(
      'conflict',
      `cannot join network of a non running container: ${other.Id}`,
    );
  }
  const resolvConf = await readFile(other.ResolvConfPath, 'utf8').catch(() => '');
  return plain({ path: `/proc/${String(other.State.Pid)}/ns/net` }, resolvConf);
}

function plain(namespace: StepNetwork['namespace'], resolvConf: string): StepNetwork {
  return {
    namespace,
    resolvConf,
    addresses: [],
    gateway: undefined,
    connect: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function machineResolv(): Promise<string> {
  return readFile('/etc/resolv.conf', 'utf8').catch(() => '');
}
