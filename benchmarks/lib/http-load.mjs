// HTTP load over sockets that stay open, one request at a time on each. Nothing else, so that the server is what is measured.

import { connect } from 'node:net';
import { clock } from './programs.mjs';

/** Sends requests over `connections` sockets. Returns requests per second and each request's milliseconds, after a warm-up. */
export async function load({ port, connections, warmUpMs, measureMs, request }) {
  const opensAt = clock() + warmUpMs;
  const closesAt = opensAt + measureMs;
  const times = [];
  const caller = async () => {
    const socket = await open(port);
    while (clock() < closesAt) {
      const at = clock();
      await exchange(socket, request());
      const now = clock();
      if (at >= opensAt && now <= closesAt) times.push(now - at);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, caller));
  return { rate: (times.length / measureMs) * 1_000, times };
}

/** The text of a POST with a JSON body. */
export function post(path, body, headers = {}) {
  const text = JSON.stringify(body);
  const lines = Object.entries({ 'content-type': 'application/json', 'content-length': text.length, ...headers });
  return `POST ${path} HTTP/1.1\r\nhost: bench\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`;
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.setNoDelay(true)));
    socket.once('error', reject);
  });
}

function exchange(socket, text) {
  return new Promise((resolve, reject) => {
    let answer = '';
    const receive = (chunk) => {
      answer += chunk.latin1Slice();
      if (!isWhole(answer)) return;
      socket.off('data', receive).off('close', fail);
      const status = Number(answer.slice(9, 12));
      if (status >= 200 && status < 300) resolve();
      else reject(new Error(`answered: ${answer.slice(0, 300)}`));
    };
    const fail = () => reject(new Error('the server has closed the connection'));
    socket.on('data', receive).once('close', fail);
    socket.write(text);
  });
}

function isWhole(answer) {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, end + 2))?.[1];
  return length === undefined ? answer.endsWith('0\r\n\r\n') : answer.length >= end + 4 + Number(length);
}
