/** The typed calls on networks. References are names, ids or unique id prefixes. */

import type { EndpointSettings } from '../../lib/api/containers.ts';
import type { Filters, NetworkCreateRequest, NetworkInfo } from '../../lib/api/system.ts';
import { filterText } from './containers.ts';
import type { Transport } from './transport.ts';

export class NetworksApi {
  private readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  list(filters?: Filters): Promise<NetworkInfo[]> {
    return this.transport.json('network.list', { query: { filters: filterText(filters) } });
  }

  inspect(id: string): Promise<NetworkInfo> {
    return this.transport.json('network.inspect', { params: { id } });
  }

  create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }> {
    return this.transport.json('network.create', { json: request });
  }

  async remove(id: string): Promise<void> {
    await this.transport.send('network.remove', { params: { id } });
  }

  /** Puts a container on the network, now or at its next start. */
  async connect(id: string, container: string, settings: EndpointSettings = {}): Promise<void> {
    const json = { Container: container, EndpointConfig: settings };
    await this.transport.send('network.connect', { params: { id }, json });
  }

  async disconnect(
    id: string,
    container: string,
    options: { force?: boolean } = {},
  ): Promise<void> {
    const json = { Container: container, Force: options.force === true };
    await this.transport.send('network.disconnect', { params: { id }, json });
  }

  prune(filters?: Filters): Promise<{ NetworksDeleted: string[] | null }> {
    return this.transport.json('network.prune', { query: { filters: filterText(filters) } });
  }
}
