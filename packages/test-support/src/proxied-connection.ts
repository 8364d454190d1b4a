// One client's connection through a TCP proxy, which a test can disturb in each direction.
import type { Socket } from 'node:net';
import { Flow } from './flow.js';
import { type BackendFrame, FrameReader, readStartup } from './postgres-frames.js';

/** What becomes of one message of the server; an array is sent on instead of it. */
export type FrameFate = 'pass' | 'drop' | 'reset' | 'cut in the middle' | readonly Buffer[];

export class ProxiedConnection {
  readonly toServer: Flow;
  readonly toClient: Flow;
  /** Asked for each message of the server, in order, before `toClient` gets it. */
  onFrame: (frame: BackendFrame) => FrameFate = () => 'pass';
  /** What the client has said of itself; empty before it has said anything. */
  startup: ReadonlyMap<string, string> = new Map();
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;

  readonly #client: Socket;
  readonly #server: Socket;

  /**
   * Both sockets allow half-open connections: that one side has ended is passed on, or not, like its bytes.
   * @param onStartup called once, when the client's first bytes are read and not passed on yet.
   */
  constructor(client: Socket, server: Socket, onStartup: (connection: ProxiedConnection) => void) {
    this.#client = client;
    this.#server = server;
    this.toServer = new Flow(server);
    this.toClient = new Flow(client);
    const closing = [client, server].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    this.closed = Promise.all(closing).then(() => undefined);
    client.once('data', (chunk: Buffer) => {
      this.startup = readStartup(chunk);
      onStartup(this);
    });
    client.on('data', (chunk: Buffer) => this.toServer.take(chunk));
    const frames = new FrameReader();
    server.on('data', (chunk: Buffer) => {
      for (const frame of frames.read(chunk)) this.#passOn(frame);
    });
    // A side that was reset closes without an end; saying both is the same as saying one.
    for (const event of ['end', 'close']) {
      client.on(event, () => this.toServer.take('end'));
      server.on(event, () => this.toClient.take('end'));
    }
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => socket.destroy());
  }

  /** Writes to the client as if from the server, between two messages of that one. */
  inject(bytes: Buffer): void {
    this.toClient.take(bytes);
  }

  /** Both sides see an end, at once. */
  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  /** The client sees ECONNRESET, the server an end. */
  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.destroy();
  }

  #passOn(frame: BackendFrame): void {
    if (this.#client.destroyed) return;
    const fate = this.onFrame(frame);
    if (fate === 'pass') this.toClient.take(frame.bytes);
    else if (fate === 'reset') this.reset();
    else if (fate === 'cut in the middle') {
      this.#client.end(frame.bytes.subarray(0, Math.ceil(frame.bytes.length / 2)));
      this.#server.destroy();
    } else if (fate !== 'drop') for (const bytes of fate) this.toClient.take(bytes);
  }
}
