import { ServiceError } from '../../../pkg/errors/index.ts';

/** The server cannot be asked, or did not answer in time. Whether it carried the command out is not known. */
export class RedisUnavailableError extends ServiceError {
  /** @param cause why */
  constructor(cause: unknown) {
    super({ code: 'redis_unavailable', status: 503, publicMessage: 'A part of the service is out of reach.', cause });
  }
}
