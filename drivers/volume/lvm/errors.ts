/** What lvm's messages mean. Pure. lvm exits 5 for nearly everything, so its words are all there is. */
export type Trouble =
  | 'full'
  | 'no such volume'
  | 'no such group'
  | 'exists'
  | 'in use'
  | 'unreadable disk'
  | 'no device-mapper'
  | 'unknown';

const PATTERNS: readonly (readonly [Trouble, RegExp])[] = [
  ['no device-mapper', /device-mapper is available in the kernel|without using device-mapper|dm driver/i],
  // Before the group: it is not found when its disk cannot be read.
  [
    'unreadable disk',
    /error (?:reading|writing) device|input\/output error|failed to (?:read|write) (?:metadata|mda)/i,
  ],
  ['full', /insufficient free space|insufficient suitable (?:allocatable )?extents|free space in (?:the )?thin pool/i],
  ['no such group', /volume group "[^"]*" not found/i],
  ['no such volume', /failed to find logical volume|logical volume .* not found/i],
  ['exists', /already exists in volume group/i],
  ['in use', /\bin use\b|is used by another device|device or resource busy|contains a filesystem/i],
];

/** Classifies stderr of an lvm command that failed. */
export function troubleOf(stderr: string): Trouble {
  return PATTERNS.find(([, pattern]) => pattern.test(stderr))?.[0] ?? 'unknown';
}
