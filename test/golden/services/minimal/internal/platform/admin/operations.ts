import { type Admin, createAdmin } from './server.ts';

/**
 * What modules let operators do, each below a path of its own. The admin port is served before they start, and takes no further
 * routes by then: each gets a server of its own, which is handed its requests.
 */
export class Operations {
  readonly #parts = new Map<string, Admin>();

  /** @param admin the server of the admin port, before it listens */
  constructor(admin: Admin) {
    admin.addHook('onRequest', (request, reply, done) => {
      const [, path = ''] = request.url.split(/[/?]/, 2);
      const part = this.#parts.get(path);
      if (part === undefined) return done();
      reply.hijack();
      part.routing(request.raw, reply.raw);
    });
  }

  /**
   * @param path first segment of the routes, which no other module has
   * @param register adds the routes to a server that answers errors as the admin port does
   */
  async add(path: string, register: (server: Admin) => void): Promise<void> {
    const part = createAdmin();
    register(part);
    await part.ready();
    this.#parts.set(path, part);
  }
}
