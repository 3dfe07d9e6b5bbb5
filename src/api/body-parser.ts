/** Request bodies: bytes to JSON, strictly. Pure. */
import { failure, messageOf } from '../model/errors.ts';

/** Undefined for an empty body; InvalidInput for what is not UTF-8 or not JSON. */
export function parseJsonBody(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw failure('InvalidInput', { reason: 'the body is not valid UTF-8. Send JSON in UTF-8.' }, error);
  }
  try {
    return JSON.parse(text, refusePrototype);
  } catch (error) {
    throw failure('InvalidInput', { reason: `the body is not valid JSON: ${messageOf(error)}` }, error);
  }
}

/** An own property of this name would vanish, or worse, wherever objects are copied. */
function refusePrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('the key __proto__ is not allowed');
  return value;
}
