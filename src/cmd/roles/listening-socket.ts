/** The listening socket that the workers of the API share. */
import { lookup } from 'node:dns/promises';
import net from 'node:net';

/** Held by the parent, which takes no connection itself: while no worker runs, connections wait in the kernel. */
export interface ListeningSocket {
  readonly fd: number;
  readonly url: string;
  close(): void;
}

interface TcpHandle {
  readonly fd: number;
  close(): void;
  getsockname(out: { address?: string; port?: number; family?: string }): number;
}

/**
 * Binds. Node's public interface makes no socket without taking connections from it, so this is the function by which
 * its own cluster module shares one; it answers a number where the address cannot be had.
 */
export async function openListeningSocket(host: string, port: number): Promise<ListeningSocket> {
  const { address, family } = await lookup(host);
  const create = (net as unknown as { _createServerHandle(...parameters: unknown[]): TcpHandle | number })
    ._createServerHandle;
  const handle = create(address, port, family);
  if (typeof handle === 'number') {
    throw new Error(
      `The API cannot listen on ${host} port ${port} (error ${handle}). Another program may have the port: name a free ` +
        'one in osapi_volume_listen_port, or an address of this machine in osapi_volume_listen.',
    );
  }
  const bound: { address?: string; port?: number } = {};
  handle.getsockname(bound);
  const shown = family === 6 ? `[${address}]` : address;
  return { fd: handle.fd, url: `http://${shown}:${bound.port ?? port}/v3`, close: () => handle.close() };
}
