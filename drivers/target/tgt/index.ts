/** The target `tgt`: exports volumes over iSCSI or iSER by tgtd, the daemon of the Linux SCSI target framework. */
import { defineTarget } from '#driver';
import { options } from './options.ts';
import { openTgt } from './target.ts';

export const tgtTarget = defineTarget({ name: 'tgt', aliases: ['tgtadm'], options, open: openTgt });
