import type { Command } from 'commander';
import { type Client, createClient } from './client.ts';
import { type EndpointOptions, findEndpoint } from './endpoint.ts';
import type { CliIo } from './io.ts';

/** The client that a command's global options, the environment and the state directories lead to. */
export async function openSession(io: CliIo, command: Command, timeoutMs?: number): Promise<Client> {
  return createClient(await findEndpoint(io, command.optsWithGlobals<EndpointOptions>()), timeoutMs);
}
