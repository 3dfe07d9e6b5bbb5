/** What a call of an operation answered, by whoever served it -> our own form. Pure. */
import { failure } from '../../model/errors.ts';
import { decodeValue } from '../objects/decode.ts';
import { VersionedObject } from '../objects/objects.ts';

type Answer = Readonly<Record<string, unknown>>;

/**
 * attachment_update: the flat connection information. initialize_connection: `{driver_volume_type, data}`.
 * attach_volume: `{attachment_id}`; a peer names the attachment itself and answers it as an object. All else: null.
 * Throws RemoteError for an answer that is none. What is in it is never told: it may hold a password.
 */
export function ownAnswer(method: string, answer: unknown): unknown {
  switch (method) {
    case 'attachment_update':
      return dictionaryOf(method, answer);
    case 'initialize_connection': {
      const whole = dictionaryOf(method, answer);
      if (typeof whole.driver_volume_type === 'string' && isDictionary(whole.data)) return whole;
      throw unusable(method, 'it has no driver_volume_type and data');
    }
    case 'attach_volume':
      return { attachment_id: attachmentIdOf(method, dictionaryOf(method, answer)) };
    default:
      return null;
  }
}

function attachmentIdOf(method: string, answer: Answer): string {
  if (typeof answer.attachment_id === 'string') return answer.attachment_id;
  const decoded = decodeValue(answer);
  const value = decoded.ok ? decoded.value : null;
  if (value instanceof VersionedObject && value.name === 'VolumeAttachment') {
    const { id } = value.fields as { readonly id?: string };
    if (id !== undefined) return id;
  }
  throw unusable(method, 'it names no attachment');
}

function dictionaryOf(method: string, answer: unknown): Answer {
  if (isDictionary(answer)) return answer;
  throw unusable(method, 'it is no dictionary');
}

function isDictionary(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(method: string, reason: string) {
  return failure('RemoteError', { exception: `an unusable answer to ${method}`, reason });
}
