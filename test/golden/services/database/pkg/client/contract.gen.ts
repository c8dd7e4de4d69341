// Printed from api/openapi.json by `npm run openapi`. Do not edit it.

export interface paths {
  '/items': {
    post: operations['createItem'];
    get: operations['listItems'];
  };
  '/items/{id}': {
    get: operations['getItem'];
    patch: operations['changeItem'];
    delete: operations['deleteItem'];
  };
}

export interface components {
  schemas: {
    /** An item */
    Item: {
      id: string;
      /** Counts the changes */
      version: number;
      name: string;
      quantity: number;
      createdAt: string;
      updatedAt: string;
    };
    /** The fields that change; null removes an optional one (RFC 7396) */
    ItemChanges: {
      name?: string;
      quantity?: number;
    };
    /** A page of items */
    ItemList: {
      items: components['schemas']['Item'][];
      /** Cursor of the next page; missing on the last page */
      next?: string;
    };
    /** The fields of a new item */
    NewItem: {
      name: string;
      quantity: number;
    };
    /** What went wrong (RFC 9457) */
    Problem: {
      /** URI of the kind of problem; about:blank means that the status says it all */
      type: string;
      title: string;
      status: number;
      /** What went wrong this time */
      detail?: string;
      /** A stable name of the problem, for programs */
      code?: string;
      /** The data behind the detail */
      details?: {
        [name: string]: unknown;
      };
      /** The id of this request in the log */
      requestId?: string;
      /** The id of the distributed trace of this request */
      traceId?: string;
      errors?: {
        /** The part of the request: body, querystring, params or headers */
        in: string;
        /** JSON Pointer (RFC 6901) to the faulty value in that part */
        pointer: string;
        /** The keyword of JSON Schema that the value breaks */
        rule?: string;
        detail: string;
      }[];
    };
  };
}

export interface operations {
  /** Create an item */
  createItem: {
    parameters: {
      query?: never;
      header?: {
        /** Chosen by the client, unique to this request: sent again with the same key, it is carried out once */
        'idempotency-key'?: string | undefined;
      };
      path?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['NewItem'];
      };
    };
    responses: {
      201: {
        headers: { [name: string]: unknown };
        content: {
          'application/json': components['schemas']['Item'];
        };
      };
      default: {
        headers: { [name: string]: unknown };
        content: {
          'application/problem+json': components['schemas']['Problem'];
        };
      };
    };
  };
  /** List items */
  listItems: {
    parameters: {
      query?: {
        limit?: number | undefined;
        /** `next` of the previous page */
        cursor?: string | undefined;
        /** The field that orders the list; `-` reverses the order */
        sort?: 'createdAt' | '-createdAt' | 'name' | '-name' | undefined;
        name?: string | undefined;
      };
      header?: never;
      path?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: { [name: string]: unknown };
        content: {
          'application/json': components['schemas']['ItemList'];
        };
      };
      default: {
        headers: { [name: string]: unknown };
        content: {
          'application/problem+json': components['schemas']['Problem'];
        };
      };
    };
  };
  /** Get an item */
  getItem: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
    };
    requestBody?: never;
    responses: {
      200: {
        headers: { [name: string]: unknown };
        content: {
          'application/json': components['schemas']['Item'];
        };
      };
      default: {
        headers: { [name: string]: unknown };
        content: {
          'application/problem+json': components['schemas']['Problem'];
        };
      };
    };
  };
  /** Change an item */
  changeItem: {
    parameters: {
      query?: never;
      header?: {
        /** The ETag that the caller saw: changed since, the reply is 412. `*` accepts any */
        'if-match'?: string | undefined;
      };
      path: {
        id: string;
      };
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ItemChanges'];
      };
    };
    responses: {
      200: {
        headers: { [name: string]: unknown };
        content: {
          'application/json': components['schemas']['Item'];
        };
      };
      default: {
        headers: { [name: string]: unknown };
        content: {
          'application/problem+json': components['schemas']['Problem'];
        };
      };
    };
  };
  /** Delete an item */
  deleteItem: {
    parameters: {
      query?: never;
      header?: {
        /** The ETag that the caller saw: changed since, the reply is 412. `*` accepts any */
        'if-match'?: string | undefined;
      };
      path: {
        id: string;
      };
    };
    requestBody?: never;
    responses: {
      204: {
        headers: { [name: string]: unknown };
        content?: never;
      };
      default: {
        headers: { [name: string]: unknown };
        content: {
          'application/problem+json': components['schemas']['Problem'];
        };
      };
    };
  };
}
