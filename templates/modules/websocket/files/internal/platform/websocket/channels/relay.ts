/** What was published: a text on a channel, at its place in the order of all. */
export interface Published {
  readonly channel: string;
  /** `<number>-<number>`, higher than that of all before. */
  readonly offset: string;
  /** The envelope, as `writeEnvelope` wrote it. */
  readonly text: string;
}

/** Gets what is published. */
export interface Follower {
  readonly published: (published: Published) => void;
  /** What follows comes after this place; what came before it is unknown, or lost to this instance. */
  readonly begun: (origin: string) => void;
}

/**
 * Carries what one instance publishes to all of them, in one order. In process unless REDIS_URL is set; NATS JetStream, say,
 * fits as well: its sequence numbers are offsets.
 */
export interface Relay {
  /** Whether an offset was given out by somebody else, such as a process before this one: what came after it is unknown. */
  readonly isForeign?: (offset: string) => boolean;
  /**
   * Publishes.
   * @returns once it is where it will be kept
   * @throws {ServiceError} 503 when it cannot be
   */
  publish(channel: string, text: string): Promise<void>;
  /**
   * Begins to hand on: first where it begins, then what is still kept from before this instance, then each as it comes.
   * @param follower gets them in order, each once
   * @returns when what was kept is handed on, or cannot be now: then it comes later
   */
  follow(follower: Follower): Promise<void>;
  stop(): Promise<void>;
}

/** For one instance alone: nothing survives the process. */
export class LocalRelay implements Relay {
  /** Tells offsets of this process from those of one before. */
  readonly #epoch = Date.now();
  #count = 0;
  #follower: Follower | undefined;

  readonly isForeign = (offset: string): boolean => !offset.startsWith(`${this.#epoch}-`);

  publish(channel: string, text: string): Promise<void> {
    this.#count += 1;
    this.#follower?.published({ channel, offset: `${this.#epoch}-${this.#count}`, text });
    return Promise.resolve();
  }

  follow(follower: Follower): Promise<void> {
    this.#follower = follower;
    follower.begun(`${this.#epoch}-0`);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
