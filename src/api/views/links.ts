/** Links of a resource. `baseUrl` is `http://host:port/v3/<project>`; a bookmark is the same without the version. Pure. */
export interface Link {
  readonly rel: 'self' | 'bookmark';
  readonly href: string;
}

export function linksTo(baseUrl: string, collection: string, id: string): readonly Link[] {
  return [
    { rel: 'self', href: `${baseUrl}/${collection}/${id}` },
    { rel: 'bookmark', href: `${baseUrl.replace(/\/v3(?=\/|$)/, '')}/${collection}/${id}` },
  ];
}
