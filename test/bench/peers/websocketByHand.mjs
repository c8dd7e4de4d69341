import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/** Bare ws with the same envelope, by hand: read, looked at, answered. What nobody can do without who speaks in messages. */
const server = createServer();
let count = 0;
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data) => {
    const { msgId, type, version, payload } = JSON.parse(data);
    if (typeof msgId !== 'string' || type !== 'echo' || typeof payload?.text !== 'string') {
      socket.close(1007);
      return;
    }
    count += 1;
    const answer = {
      msgId: String(count),
      timestamp: Date.now(),
      source: 'bench',
      type,
      version,
      correlationId: msgId,
    };
    socket.send(JSON.stringify({ ...answer, direction: 'response', payload }));
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
