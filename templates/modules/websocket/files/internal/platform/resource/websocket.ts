import { type TObject, type TSchema, Type } from 'typebox';
import { detach } from '../../../pkg/context/index.ts';
import type { Entity, Listener } from '../../../pkg/resource/index.ts';
import type { MessageDefinition } from '../websocket/messages.ts';
import type { Sockets } from '../websocket/sockets.ts';

/**
 * @param view the schema of the replies about one entity
 * @param transitions of its states, by name
 * @returns the schema of a message that says what has changed in an entity
 */
export function changeOf<View extends TObject>(view: View, transitions: object = {}) {
  return Type.Object({
    change: Type.Enum(['created', 'changed', 'deleted', ...Object.keys(transitions)]),
    entity: view,
  });
}

/**
 * Declares two topics: all entities of a resource, such as `orders`, and one of them, such as `orders/<id>`.
 * @param sockets publishes to the subscribers
 * @param resource its name
 * @param message the definition of what subscribers get
 * @returns a listener that publishes each change to both topics. The message has only the fields of the view
 */
export function pushChanges(
  sockets: Pick<Sockets, 'topic' | 'publish'>,
  resource: string,
  message: MessageDefinition<TObject<{ change: TSchema; entity: TObject }>>,
): Listener<Entity> {
  for (const name of [resource, `${resource}/*`]) sockets.topic({ name, resource });
  const { properties } = message.payload.properties.entity;
  return ({ change, entity }) => {
    const shown = Object.entries(entity).filter(([name]) => Object.hasOwn(properties, name));
    const payload = { change, entity: Object.fromEntries(shown) };
    const topics = [resource, `${resource}/${entity.id}`];
    return detach(`push ${resource}`, () =>
      Promise.all(topics.map((topic) => sockets.publish(topic, message, payload))),
    );
  };
}
