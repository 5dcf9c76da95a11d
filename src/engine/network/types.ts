/** What containers and the API may ask of the networks. */

/** The networks that exist before any is created, and their wire form. */
export interface NetworkInspect {
  Name: string;
  Id: string;
  Created: string;
  Scope: string;
  Driver: string;
  EnableIPv4: boolean;
  EnableIPv6: boolean;
  IPAM: {
    Driver: string;
    Options: Record<string, string> | null;
    Config: { Subnet?: string; Gateway?: string }[];
  };
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigFrom: { Network: string };
  ConfigOnly: boolean;
  Containers: Record<
    string,
    {
      Name: string;
      EndpointID: string;
      MacAddress: string;
      IPv4Address: string;
      IPv6Address: string;
    }
  >;
  Options: Record<string, string>;
  Labels: Record<string, string>;
}

export interface NetworkMember {
  readonly id: string;
  readonly name: string;
  readonly network: string;
}

export interface Networks {
  /** Docker's filters: name, id, driver, type, label, scope, dangling. */
  list(filters: Readonly<Record<string, readonly string[]>>): NetworkInspect[];
  /** By name, id or unique id prefix; throws not-found (`network x not found`). */
  get(reference: string): NetworkInspect;
  /** These four throw: `not-implemented`, or `forbidden` for the predefined networks. */
  create(request: { Name?: string; Driver?: string }): { Id: string; Warning: string };
  remove(reference: string): void;
  connect(reference: string, container: string): void;
  disconnect(reference: string, container: string): void;
  prune(): { NetworksDeleted: string[] };
  /** Tells who is attached, for inspect's `Containers`; set once by the composition root. */
  setMembers(members: () => readonly NetworkMember[]): void;
}
