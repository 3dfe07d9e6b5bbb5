/** Pieces of request bodies. Lengths count characters as the database does, not UTF-16 units. Pure. */
import { z } from 'zod';

/** The greatest integer of a database column. */
export const MAX_INT = 2 ** 31 - 1;

/** Text that the database can hold as it is: no NUL, no half of a surrogate pair. */
const storableText = z
  .string('expected text')
  .refine((value) => !value.includes('\0'), 'a NUL character is not allowed')
  .refine((value) => value.isWellFormed(), 'not valid Unicode (a lone surrogate)');

/** Text of up to `max` characters, any of them. */
export function text(max = 255) {
  return storableText.refine((value) => [...value].length <= max, `longer than ${max} characters`);
}

/** Null and absent mean none. */
export const optionalText = text().nullish();

/** A name or description, without the blanks around it. */
export const optionalName = text()
  .transform((value) => value.trim())
  .nullish();

/** User metadata and the like. */
export const metadata = z.record(
  z.string().regex(/^[a-zA-Z0-9\-_:. /]{1,255}$/, 'a key has 1 to 255 letters, digits, spaces, or of -_:./'),
  text(),
  'expected an object of texts',
);

const WHOLE_GIB = 'expected a positive whole number of GiB';

/** Sizes in GiB: an integer, or its digits as text. */
export const sizeGb = z
  .union([z.number(), z.string().regex(/^[0-9]{1,20}$/, WHOLE_GIB)], WHOLE_GIB)
  .transform(Number)
  .refine((value) => Number.isInteger(value) && value >= 1, WHOLE_GIB)
  .refine((value) => value <= MAX_INT, `greater than ${MAX_INT} GiB`);

const yes = ['true', '1', 'on', 'yes', 'y', 't'];
const no = ['false', '0', 'off', 'no', 'n', 'f'];

const boolWords = new RegExp(`^(${[...yes, ...no].join('|')})$`, 'i');
const TRUE_OR_FALSE = 'expected true or false';

/** true, false, or one of the words for them. */
export const booleanWord = z
  .union([z.boolean(), z.string().regex(boolWords, TRUE_OR_FALSE)], TRUE_OR_FALSE)
  .transform((value) => (typeof value === 'boolean' ? value : yes.includes(value.toLowerCase())));

/** An id in its canonical form. */
export const uuid = z.guid('expected a UUID').transform((value) => value.toLowerCase());
