// SPDX-License-Identifier: Apache-2.0
// serve.js PORT KEY: bcoin as a regtest node in memory. Its JSON-RPC listens on 127.0.0.1:PORT; it has no peers.
'use strict';
const path = require('path');
const bcoin = require(path.join(process.cwd(), 'node_modules', 'bcoin'));

const [port, key] = process.argv.slice(2);
const node = new bcoin.FullNode({
  network: 'regtest', memory: true, workers: false, listen: false,
  httpHost: '127.0.0.1', httpPort: Number(port), apiKey: key, logConsole: false,
});
node.on('error', (error) => console.error(error.stack));
(async () => {
  await node.open();
  console.log('open');
})().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
