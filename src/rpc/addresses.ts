/** Under which topics and servers a service is reached. Pure. */
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../rpcapi/requests.ts';
import type { RpcTarget, Transport } from './transport.ts';

/**
 * The two listeners of a volume service `node@lvm`: the topic that all share, and one of its own in which the server is the
 * bare host. Cinder's api and scheduler send to the second.
 */
export function volumeAddresses(serviceHost: string): readonly Required<RpcTarget>[] {
  return [{ topic: VOLUME_TOPIC, server: serviceHost }, volumeTarget(serviceHost)];
}

/** Where to send what one volume service shall do, in the way that Cinder's does listen to. */
export function volumeTarget(serviceHost: string): Required<RpcTarget> {
  const [node = serviceHost] = serviceHost.split('@');
  return { topic: `${VOLUME_TOPIC}.${serviceHost}`, server: node };
}

/** Where to send what the owner of an operation shall do: any scheduler, or the volume service of that name. */
export function ownerTarget(owner: string, { reach }: Pick<Transport, 'reach'>): RpcTarget {
  if (owner === SCHEDULER_TOPIC) return { topic: SCHEDULER_TOPIC };
  return reach === 'network' ? volumeTarget(owner) : { topic: VOLUME_TOPIC, server: owner };
}
