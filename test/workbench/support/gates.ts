/** Gates between a test and what runs in another process: who asks for one at the socket waits until the test opens it. */
import { createServer, type Server } from 'node:http';

export class Gates {
  readonly socket: string;
  private readonly gates = new Map<string, PromiseWithResolvers<undefined>>();
  private readonly server: Server;

  constructor(socket: string) {
    this.socket = socket;
    this.server = createServer((request, response) => {
      void this.gate(request.url ?? '/').promise.then(() => response.end());
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.socket, resolve));
  }

  open(name: string): void {
    this.gate(`/${name}`).resolve(undefined);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private gate(path: string): PromiseWithResolvers<undefined> {
    const known = this.gates.get(path) ?? Promise.withResolvers<undefined>();
    this.gates.set(path, known);
    return known;
  }
}
