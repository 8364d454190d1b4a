// A TCP relay before a server that can swallow what passes, without a word to anybody: a network that is dead.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface SilentRelay {
  /** The server's address, leading through here. */
  readonly url: string;
  /** From now on nothing passes, on connections that stand and on new ones: `from the server`, or in `both` directions. */
  swallow(what: 'from the server' | 'both'): void;
  close(): Promise<void>;
}

/** @param target of a server without TLS, on a TCP port. */
export async function openSilentRelay(target: string): Promise<SilentRelay> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const isSwallowed = { toClient: false, toServer: false };
  const pass = (from: Socket, to: Socket, direction: keyof typeof isSwallowed): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => void (isSwallowed[direction] || to.write(chunk)));
    from.on('error', () => from.destroy());
    from.on('close', () => {
      sockets.delete(from);
      // That one side has gone is told by bytes too.
      if (!isSwallowed[direction]) to.destroy();
    });
  };
  const relay = createServer((client) => {
    const server = connect({ host: hostname, port: Number(port || '5432') });
    pass(client, server, 'toServer');
    pass(server, client, 'toClient');
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((relay.address() as AddressInfo).port);
  return {
    url: url.href,
    swallow(what) {
      isSwallowed.toClient = true;
      isSwallowed.toServer = what === 'both';
    },
    async close() {
      const closed = once(relay, 'close');
      relay.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
