/**
 * Where this API answers otherwise than Cinder, and why. What is not here must agree, and what is here must differ:
 * an entry that is no longer needed fails the test, too.
 */

export interface Allowed {
  /** Fits `POST /volumes at 3.0 (note)`. */
  readonly asked: RegExp;
  /** Fits `status`, `header vary`, `body.volume.name`. */
  readonly where: RegExp;
  readonly reason: string;
}

const anything = /./;
/** One answer is a fault, the other is not, or is another one. */
const outcome = /^(status|body|body\.\w+)$/;
const headers = /^header (vary|openstack-api-version|content-type)$/;

const discovery: readonly Allowed[] = [
  {
    asked: /^GET \/v3 at /,
    where: anything,
    reason: 'Discovery without the slash at the end is answered at once; Cinder redirects to the path with it.',
  },
  {
    asked: /^GET \/volumes at (no version \(volume\))?$/,
    where: outcome,
    reason: 'A header without a version is the caller’s fault, 400; Cinder has an internal error, 500.',
  },
  {
    asked: /^GET \/volumes at no version \(compute 2\.1\)$/,
    where: anything,
    reason: 'A header for other services says nothing of ours, so the version is the oldest; Cinder answers 400.',
  },
  {
    asked: /^GET \/volumes at 2\.0$/,
    where: headers,
    reason: 'A 406 says which version it refuses, whatever it was; Cinder leaves it out for 2.x.',
  },
  {
    asked: /^GET \/(extensions|group_types|resource_filters)/,
    where: /\.length$|\.description$/,
    reason: 'What is not there yet (groups, backups and others) is not listed; descriptions are our own.',
  },
  {
    asked:
      /^\w+ (\/nothing|\/volumes\/a\/b\/c\/d|\/|\/v2\/|\/v3\/other_project!\/volumes||\/volumes|\/volumes\/detail|\/limits|\/os-availability-zone) at 3\.70( \(odd project\))?$/,
    where: /^(header (vary|openstack-api-version|content-type)|status|body|body\.(badMethod|itemNotFound))$/,
    reason:
      'Unknown paths answer a fault in JSON, 405 where only the method is wrong, 400 for what cannot be a project; ' +
      'Cinder answers 404 in HTML.',
  },
  {
    asked: /^GET (\/v3)?\/default-types/,
    where: anything,
    reason: 'Default types are served below a project, too, and one that is not there is a 404, not a 500.',
  },
];

const lists: readonly Allowed[] = [
  {
    asked: /[?&](nothing|volume_type|all)=/,
    where: outcome,
    reason: 'An unknown filter of an administrator is refused; Cinder answers an empty list, as if there were nothing.',
  },
  {
    asked: /[?&](metadata=x|size=x|all_tenants=x|created_at=gt:2000-01-01) at|\?(metadata=x|size=x|all_tenants=x) at/,
    where: outcome,
    reason: 'A filter that cannot be read is refused, 400; Cinder ignores it, or has an internal error.',
  },
  {
    asked: /\/volumes(\/detail)?\?(all_tenants=0|bootable=0|name=clone&name=larger) at/,
    where: /length$/,
    reason: 'No is read as no, and of a filter given twice the last counts; Cinder finds nothing.',
  },
  {
    asked: /\?(with_count|consumes_quota)=\S+ at 3\.(0|33)$/,
    where: /\.length$|_links$/,
    reason: 'A parameter of a later version is left out; Cinder takes it for a filter that nothing fits.',
  },
  {
    asked: /limit=1&offset=1/,
    where: /_links\[\]\.href$/,
    reason: 'The next page begins after the marker; Cinder repeats the offset there, so that items are skipped.',
  },
  {
    asked: /^GET \/types\?marker=1111/,
    where: outcome,
    reason: 'An unknown marker is 404 for every list; for types Cinder begins anew.',
  },
  {
    asked: /^GET \/attachments(\/detail)?\?status=attaching/,
    where: /length$/,
    reason: 'resource_filters names status, so it filters; Cinder knows attach_status alone and finds nothing.',
  },
];

const bodies: readonly Allowed[] = [
  {
    asked: /^GET \/volumes\/\{larger\}\/metadata at/,
    where: /^header (content-type|etag)$/,
    reason: 'Metadata is JSON and says so, and its ETag stands in quotes, as HTTP has it.',
  },
  {
    asked: /^POST \/volumes at 3\.70 \((no body|large)\)$/,
    where: /^(header .*|status|body|body\.\w+)$/,
    reason: 'No body is 400 (Cinder: 500), too large a one a fault in JSON (Cinder: HTML).',
  },
  {
    asked: /^POST \/volumes at 3\.0 \(backup malformed\)$/,
    where: outcome,
    reason: 'Backups are not there yet: 400 says so before it is looked for.',
  },
  {
    asked: /^POST \/snapshots at .* \(null volume\)$|^POST \/volumes\/\{act\}\/action at .* \(null\)$/,
    where: outcome,
    reason: 'Null where something must be named is 400; Cinder looks for it and answers 404.',
  },
  {
    asked: /^POST \/(volumes|snapshots)\/1111\S+ at 3\.70( \((os-unmanage|os-show_image_metadata), unknown volume\))?$/,
    where: outcome,
    reason: 'Managing and images are not there yet: 400 names the actions that are.',
  },
  {
    asked: /os-initialize_connection":\{"connector":"x"\}|os-detach":\{"attachment_id":"1111/,
    where: outcome,
    reason: 'A connector that is no object, and an attachment of another volume, are 400; Cinder: 200 and 409.',
  },
];

const types: readonly Allowed[] = [
  {
    asked: /^(GET|POST|PUT) \/types/,
    where: /volume_type\.(qos_specs_id|os-volume-type-access:is_public)$/,
    reason: 'A type has the same keys in every answer; Cinder leaves some out of create, update and default.',
  },
  {
    asked: /\/types/,
    where: /extra_specs\.a$/,
    reason: 'Null as an extra spec is kept as empty text: clients and filters expect text.',
  },
  {
    asked: /^POST \/types at 3\.70 \(spaces\)$/,
    where: /\.name$/,
    reason: 'Blanks around a name are taken off, as for volumes; Cinder does so only when the type is changed.',
  },
  {
    asked: /addProjectAccess":\{"project":"not an id"/,
    where: outcome,
    reason: 'Without keystone projects have names that are no UUIDs.',
  },
];

const attachments: readonly Allowed[] = [
  {
    asked: /^(PUT|POST) \/attachments/,
    where: /attachment\.(status|attach_mode)$/,
    reason: 'The answer shows the attachment as it is after the call; Cinder shows it as it was before.',
  },
  {
    asked: /attachments/,
    where: /attached_at$/,
    reason: 'The date of attaching is that at which the consumer completed it; Cinder’s that of its connector.',
  },
  {
    asked: /completed without connector/,
    where: /attached_at$/,
    reason: 'As above: completed, so it has a date.',
  },
  {
    asked: /attachments/,
    where: /connection_info\.access_mode$/,
    reason: 'The mode of an attachment of mode ro is ro; Cinder looks at the volume alone.',
  },
  {
    asked: /attached/,
    where: /connection_info$/,
    reason: 'Connection information is always an object; Cinder’s is null for the older calls.',
  },
  {
    asked: /attachments|os-initialize_connection/,
    where: /cacheable$/,
    reason: 'Not yet: no volume asks its consumer for a local cache; clients take its absence for no.',
  },
];

const administration: readonly Allowed[] = [
  {
    asked: /get_pools\?detail=true/,
    where: /capabilities\.(cacheable|location_info|QoS_support|backend_state|max_over_subscription_ratio)$/,
    reason: 'Each driver says what it reports; a ratio of 20 is written 20, not 20.0.',
  },
  {
    asked: /^GET \/capabilities/,
    where: /properties\./,
    reason: 'The driver names its properties; Cinder’s base class names four whether they are there or not.',
  },
  {
    asked: /manage/,
    where: outcome,
    reason: 'Not there yet: 404. (Cinder’s driver of this test has no such call, and the API fails.)',
  },
  {
    asked: /^DELETE \/messages/,
    where: outcome,
    reason: 'Not there yet: messages go with the operation that they are about.',
  },
  {
    asked: /"volumes":"7"/,
    where: outcome,
    reason: 'A limit may be given in digits, as everywhere else.',
  },
  {
    asked: /^PUT \/os-services\/(freeze|thaw)/,
    where: outcome,
    reason: 'Freezing what is frozen changes nothing and succeeds; Cinder answers 400.',
  },
  {
    asked: /^GET \/os-services at 3\.70 \(after/,
    where: /disabled_reason$/,
    reason: 'No reason is null; after thawing Cinder’s is empty text.',
  },
];

export const allowed: readonly Allowed[] = [
  ...discovery,
  ...lists,
  ...bodies,
  ...types,
  ...attachments,
  ...administration,
];
