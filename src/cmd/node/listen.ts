/** Listening on a port that may be taken. */
import type { ApiServer } from '../../api/server.ts';

/** How many ports after the wanted one are tried. */
const TRIES = 100;

/**
 * Listens on the port of the run before where it is free, else on the wanted one, else on the next free one after it.
 * Answers the API's base URL.
 */
export async function listenOnFreePort(
  api: ApiServer,
  wanted: { readonly host: string; readonly port: number; readonly lastPort: number | null },
): Promise<string> {
  const ports = Array.from({ length: TRIES }, (_, index) => wanted.port + index).filter((port) => port <= 65535);
  const { lastPort } = wanted;
  if (lastPort !== null && ports.includes(lastPort)) ports.unshift(lastPort);
  for (const [index, port] of ports.entries()) {
    try {
      const address = await api.listen({ host: wanted.host, port });
      return `${address}/v3`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || index === ports.length - 1) throw error;
    }
  }
  throw new Error('unreachable');
}
