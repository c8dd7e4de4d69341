import { Type } from 'typebox';
import { modules } from '../../internal/platform/app/modules.gen.js';
import { defineModule } from '../../internal/platform/app/module.js';
import { run } from '../../internal/platform/app/run.js';
import { http } from '../../internal/platform/http/module.js';
import { defineMessage } from '../../internal/platform/websocket/messages.js';
import { websocket } from '../../internal/platform/websocket/module.js';

const strict = { additionalProperties: false };
const text = Type.Object({ text: Type.String() }, strict);
const numbered = Type.Object({ number: Type.Integer(), at: Type.Number() }, strict);
const version = '1.0';
const echo = defineMessage({ version, type: 'echo', payload: text, response: text });
const note = defineMessage({ version, type: 'note', payload: Type.Object({ number: Type.Integer() }, strict) });
const news = defineMessage({ version, type: 'news', payload: numbered });

/** The service as it comes with module websocket: an echo, a note that is published again, and what publishes. */
const bench = defineModule({
  name: 'bench',
  config: Type.Object({}),
  requires: [http, websocket],
  start({ use }) {
    const sockets = use(websocket);
    const publish = (number) =>
      sockets.publish('news', news, { number, at: performance.timeOrigin + performance.now() });
    sockets.topic({ name: 'news' });
    sockets.on(echo, (payload) => payload);
    sockets.on(note, ({ number }) => publish(number));
    use(http).get('/publish', async ({ query }) => {
      await publish(Number(query.number));
      return {};
    });
    return { value: undefined };
  },
});

await run([...modules, bench]);
