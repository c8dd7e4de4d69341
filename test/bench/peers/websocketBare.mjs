import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/** Bare ws: says what it was told. */
const server = createServer();
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
