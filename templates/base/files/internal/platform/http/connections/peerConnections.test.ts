import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { PeerConnections } from '../connections.ts';

const address = '192.0.2.1';

function limitedTo(max: number): PeerConnections {
  return new PeerConnections({ max, isExempt: () => false });
}

/** A connection from a port. */
function from<Of extends Socket>(port: number, socket: Of): Of {
  return Object.defineProperties(socket, { remoteAddress: { value: address }, remotePort: { value: port } });
}

it('one that comes from the port of another, whose end is told later, counts', () => {
  const peers = limitedTo(1);
  const [reset, again] = [from(1, new Socket()), from(1, new Socket())];
  expect(peers.admit(reset)).toBe(true);
  expect(peers.admit(again)).toBe(true);
  reset.emit('close', true);
  expect(peers.admit(from(2, new Socket()))).toBe(false);
  again.emit('close', false);
  expect(peers.admit(from(2, new Socket()))).toBe(true);
});

it('one counts once that goes on by TLS, and not at all once it is released', () => {
  const peers = limitedTo(1);
  const plain = new Socket();
  expect(peers.admit(from(1, plain))).toBe(true);
  const secure = from(1, new TLSSocket(plain));
  expect(peers.admit(secure)).toBe(true);
  expect(peers.admit(from(2, new Socket()))).toBe(false);
  peers.release(secure);
  expect(peers.admit(from(2, new Socket()))).toBe(true);
});
