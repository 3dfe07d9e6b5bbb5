/** The target `iet`: iSCSI by ietd, the iSCSI Enterprise Target of old hosts. */
import { defineTarget } from '#driver';
import { options } from './options.ts';
import { openIet } from './target.ts';

export const ietTarget = defineTarget({ name: 'iet', aliases: ['ietadm'], options, open: openIet });
