import type { RequestContext } from '../model/context.ts';

/** What other services ask of the volume service of a `host@backend`, beside operations. */
export interface VolumeRpc {
  getCapabilities(context: RequestContext, serviceHost: string): Promise<Readonly<Record<string, unknown>>>;
  freezeHost(context: RequestContext, serviceHost: string): Promise<boolean>;
  thawHost(context: RequestContext, serviceHost: string): Promise<boolean>;
}
