/** The target `lio`: exports volumes over iSCSI by the kernel's own target, set up through configfs. */
import { defineTarget } from '#driver';
import { options } from './options.ts';
import { openLio } from './target.ts';

export const lioTarget = defineTarget({ name: 'lio', aliases: ['lioadm'], options, open: openLio });
