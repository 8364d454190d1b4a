// A TCP proxy before a PostgreSQL server, with which a test makes the faults of a network.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterwards } from './afterwards.js';
import { ProxiedConnection } from './proxied-connection.js';

/**
 * What happens to who connects: `forward`; `reset` at once; `black hole`, which takes everything and answers nothing; `refuse`, as where
 * nobody listens.
 */
export type Admission = 'forward' | 'reset' | 'black hole' | 'refuse';

export class TcpProxy {
  /** Called for each new connection when its client has introduced itself, before the server hears of it. */
  onStartup: (connection: ProxiedConnection) => void = () => undefined;
  /** How many have connected so far, however they were received. */
  accepted = 0;

  #admission: Admission = 'forward';
  #target: URL;
  #server: Server | undefined;
  #port = 0;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #swallowed = new Set<Socket>();

  constructor(target: string) {
    this.#target = new URL(target);
  }

  /** The target's connection string, leading through this proxy. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    return url.href;
  }

  /** Those that stand. */
  get connections(): readonly ProxiedConnection[] {
    return [...this.#connections];
  }

  /** Those that stand whose client has introduced itself by a fitting `application_name`. */
  named(pattern: RegExp): readonly ProxiedConnection[] {
    return this.connections.filter(({ startup }) => pattern.test(startup.get('application_name') ?? ''));
  }

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#receive(client));
    this.#server = server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** How new connections are received from now on; those that stand go on. */
  async admit(admission: Admission): Promise<void> {
    this.#admission = admission;
    if (admission === 'refuse') this.#stopListening();
    else if (this.#server === undefined) await this.start();
  }

  /** Where new connections are forwarded to from now on. */
  retarget(target: string): void {
    this.#target = new URL(target);
  }

  /** Cuts all that stand. */
  cutAll(): void {
    for (const connection of this.#connections) connection.cut();
    for (const socket of this.#swallowed) socket.destroy();
  }

  close(): void {
    this.#stopListening();
    this.cutAll();
  }

  #stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #receive(client: Socket): void {
    this.accepted += 1;
    client.on('error', () => client.destroy());
    if (this.#admission === 'reset') client.resetAndDestroy();
    else if (this.#admission === 'black hole') {
      this.#swallowed.add(client.resume());
      client.once('close', () => this.#swallowed.delete(client));
    } else {
      const server = connect({ port: Number(this.#target.port || '5432'), host: this.#target.hostname, allowHalfOpen: true });
      const connection = new ProxiedConnection(client, server, (started) => this.onStartup(started));
      this.#connections.add(connection);
      void connection.closed.then(() => this.#connections.delete(connection));
    }
  }
}

/** A proxy before the server of this connection string, on a port of its own. It is closed after the test, or after the file. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const proxy = new TcpProxy(target);
  await proxy.start();
  afterwards(() => proxy.close());
  return proxy;
}
