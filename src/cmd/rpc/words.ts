/** The words of `ashlar rpc`, read. Pure. */
import { volumeTarget } from '../../rpc/addresses.ts';
import type { RpcTarget } from '../../rpc/transport.ts';
import { VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { findMethod, type WireTopic, wireTables } from '../../rpcapi/wire/receive.ts';

/** `size=3 name=x args={"a":1}`: a value that is JSON is that, all else is text. Throws an Error that names the word. */
export function readArguments(words: readonly string[]): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const word of words) {
    const [, key, text = ''] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? [];
    if (key === undefined)
      throw new Error(`'${word}' is no argument: write key=value, where the value is JSON or text`);
    if (Object.hasOwn(args, key)) throw new Error(`the argument ${key} is there twice`);
    Object.defineProperty(args, key, { value: readValue(text), enumerable: true });
  }
  return args;
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A volume service `node@lvm` is reached where every make of it listens; any other server as it is named. */
export function readTarget(topic: string, server: string | undefined): RpcTarget {
  if (server === undefined) return { topic };
  return topic === VOLUME_TOPIC && server.includes('@') ? volumeTarget(server) : { topic, server };
}

/** The version that callers of the method state; 3.0 for a method that is not in the tables. */
export function usualVersion(topic: string, method: string): string {
  const known = topic.split('.', 1)[0] as WireTopic;
  const entry = Object.hasOwn(wireTables, known) ? findMethod(known, method) : undefined;
  return entry?.stated ?? entry?.versions.at(-1) ?? '3.0';
}
