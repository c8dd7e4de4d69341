// Printed from api/openapi.json by `npm run openapi`: not to be edited.

/** An item */
export type Item = {
  id: string;
  name: string;
  quantity: number;
  createdAt: string;
};

/** A page of items, the newest first */
export type ItemList = {
  items: Item[];
  /** Cursor of the next page; not there on the last one */
  next?: string;
};

/** What is chosen when an item is created */
export type NewItem = {
  name: string;
  quantity: number;
};

/** What went wrong (RFC 9457) */
export type Problem = {
  /** URI of the kind of problem; about:blank says no more than the status does */
  type: string;
  title: string;
  status: number;
  /** What went wrong this time */
  detail?: string;
  /** Stable, for programs to branch on */
  code?: string;
  /** What the detail is about */
  details?: {
    [name: string]: unknown;
  };
  /** Stands in every log line about this request */
  requestId?: string;
  /** Of the distributed trace that the request is part of */
  traceId?: string;
  errors?: {
    /** The part of the request: body, querystring, params or headers */
    in: string;
    /** JSON Pointer (RFC 6901) to the faulty value in that part */
    pointer: string;
    detail: string;
  }[];
};

/** What each operation is sent, and what it answers. */
export type Operations = {
  /** Create an item */
  createItem: {
    request: {
      headers?: {
        /** Chosen by the client, unique to this request: sent again with the same key, it is carried out once */
        'idempotency-key'?: string | undefined;
      };
      body: NewItem;
    };
    reply: { status: 201; body: Item };
  };
  /** List items */
  listItems: {
    request: {
      query?: {
        limit?: number | undefined;
        /** `next` of the page before */
        cursor?: string | undefined;
        /** Part of the name, in whatever case */
        name?: string | undefined;
      };
    };
    reply: { status: 200; body: ItemList };
  };
  /** Get an item */
  getItem: {
    request: {
      path: {
        id: string;
      };
    };
    reply: { status: 200; body: Item };
  };
};

/** Where each operation is found. */
export const operations = {
  createItem: { method: 'POST', path: '/items', mediaType: 'application/json', takesIdempotencyKey: true },
  listItems: { method: 'GET', path: '/items' },
  getItem: { method: 'GET', path: '/items/{id}' },
} as const;
