/** The target `nvmet`: exports volumes over NVMe/TCP by the kernel's own target, set up through configfs. */
import { defineTarget } from '#driver';
import { options } from './options.ts';
import { openNvmet } from './target.ts';

export const nvmetTarget = defineTarget({ name: 'nvmet', options, open: openNvmet });
