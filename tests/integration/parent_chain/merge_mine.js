// SPDX-License-Identifier: Apache-2.0
// merge_mine.js: one merge-mined block, as a pool makes it. Takes a template from a Bitcoin node and work from a Synod node,
// commits to the work in the coinbase, solves the block, and gives it to the one and its proof to the other. Nothing of
// either node is imported: it knows their JSON-RPC and Bitcoin's encodings. Prints what happened as one line of JSON.
// Environment: PARENT_PORT, PARENT_KEY, MINING_PORT, MINING_TOKEN, PAYOUT.
'use strict';
const crypto = require('crypto');
const http = require('http');

const env = process.env;
const SEGWIT = 432; // regtest: three periods of 144 blocks; far more than a coinbase needs before it may be spent
const EASY = 0x207fffff;

function rpc(port, password, method, params) {
  const body = JSON.stringify({id: 1, method, params});
  const options = {host: '127.0.0.1', port, method: 'POST', auth: 'pool:' + password,
    headers: {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}};
  return new Promise((resolve, reject) => {
    const request = http.request(options, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(parts)));
        } catch {
          reject(new Error(`${method}: HTTP ${answer.statusCode} without JSON`));
        }
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
const parent = async (method, ...params) => {
  const answer = await rpc(env.PARENT_PORT, env.PARENT_KEY, method, params);
  if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
};
const synod = (method, ...params) => rpc(env.MINING_PORT, env.MINING_TOKEN, method, params);

const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest();
const sha256d = (bytes) => sha256(sha256(bytes));
const reversed = (hex) => Buffer.from(hex, 'hex').reverse();
const little = (value, bytes) => {
  const out = Buffer.alloc(bytes);
  for (let i = 0, left = BigInt(value); i < bytes; ++i, left >>= 8n) out[i] = Number(left & 0xffn);
  return out;
};
const sized = (bytes) => {
  if (bytes.length >= 0xfd) throw new Error('longer than anything here');
  return Buffer.concat([little(bytes.length, 1), bytes]);
};

function heightScript(height) { // BIP 34
  if (height <= 16) return Buffer.from([0x50 + height]);
  let bytes = little(height, 4);
  while (bytes.length > 1 && bytes[bytes.length - 1] === 0 && bytes[bytes.length - 2] < 0x80) {
    bytes = bytes.subarray(0, -1);
  }
  return sized(bytes);
}

function transaction({input, script, sequence, outputs, witness}) {
  const inputs = Buffer.concat([little(1, 1), input, sized(script), little(sequence, 4)]);
  const paid = Buffer.concat([little(outputs.length, 1),
    ...outputs.map((o) => Buffer.concat([little(o.value, 8), sized(o.script)]))]);
  const base = Buffer.concat([little(2, 4), inputs, paid, little(0, 4)]);
  const whole = witness === undefined ? base : Buffer.concat([
    little(2, 4), Buffer.from([0, 1]), inputs, paid, little(1, 1), sized(witness), little(0, 4)]);
  return {id: sha256d(base), bytes: whole, witness: witness !== undefined};
}

const NOBODY = Buffer.concat([Buffer.alloc(32), little(0xffffffff, 4)]);
const ANYONE = Buffer.from([0x51]); // OP_TRUE

function coinbase(template, commitment, others) {
  const outputs = [{value: template.coinbasevalue, script: ANYONE}];
  const committed = template.rules.some((rule) => rule.endsWith('segwit'));
  if (committed) { // BIP 141: the coinbase counts as zeros; the others carry no witness
    const root = Buffer.concat([Buffer.alloc(32), ...others.map((tx) => tx.id)]);
    const top = others.length === 0 ? Buffer.alloc(32) : sha256d(root);
    outputs.push({value: 0, script: Buffer.concat([Buffer.from('6a24aa21a9ed', 'hex'),
      sha256d(Buffer.concat([top, Buffer.alloc(32)]))])});
  }
  const script = Buffer.concat([heightScript(template.height), Buffer.from([1, 0x2a]), sized(commitment)]);
  return transaction({input: NOBODY, script, sequence: 0xffffffff, outputs,
    witness: committed ? Buffer.alloc(32) : undefined});
}

const below = (hash, target) => Buffer.compare(Buffer.from(hash).reverse(), target) <= 0;

function solve(template, root, targets) {
  const header = Buffer.concat([little(template.version, 4), reversed(template.previousblockhash), root,
    little(template.curtime, 4), little(parseInt(template.bits, 16), 4), little(0, 4)]);
  for (let nonce = 0; nonce < 2 ** 32; ++nonce) {
    header.writeUInt32LE(nonce, 76);
    const hash = sha256d(header);
    if (targets.every((target) => below(hash, target))) return {header, hash};
  }
  throw new Error('no nonce is left');
}

async function block(commitment, spent, targets) {
  const template = await parent('getblocktemplate', {rules: ['segwit']});
  if (parseInt(template.bits, 16) !== EASY) throw new Error('not regtest: bits ' + template.bits);
  const others = spent === undefined ? [] : [spent];
  const first = coinbase(template, commitment, others);
  const root = others.length === 0 ? first.id : sha256d(Buffer.concat([first.id, others[0].id]));
  const solved = solve(template, root, [Buffer.from(template.target, 'hex'), ...targets]);
  const bytes = Buffer.concat([solved.header, little(1 + others.length, 1), first.bytes,
    ...others.map((tx) => tx.bytes)]);
  const refused = await parent('submitblock', bytes.toString('hex'));
  if (refused !== null) throw new Error('the parent chain refuses the block: ' + JSON.stringify(refused));
  return {...solved, first, others, value: template.coinbasevalue, segwit: first.witness};
}

// Namecoin's encoding: coinbase, its block's hash, its branch, the branch of the chains, the parent's header.
function auxpow(made) {
  const siblings = made.others.map((tx) => tx.id);
  return Buffer.concat([made.first.bytes, made.hash, little(siblings.length, 1), ...siblings, little(0, 4),
    little(0, 1), little(0, 4), made.header]).toString('hex');
}

async function main() {
  // Blocks of its own first, so that the merge-mined one has a coinbase with a witness, and a transaction beside it.
  const oldest = await block(Buffer.from('00', 'hex'), undefined, []);
  for (let i = 1; i < SEGWIT; ++i) await block(Buffer.from('00', 'hex'), undefined, []);
  const spent = transaction({
    input: Buffer.concat([oldest.first.id, little(0, 4)]), script: Buffer.alloc(0), sequence: 0xffffffff,
    outputs: [{value: oldest.value, script: ANYONE}]});

  const {result: work, error} = await synod('createauxblock', env.PAYOUT);
  if (error) throw new Error('createauxblock: ' + JSON.stringify(error));
  const commitment = Buffer.concat([Buffer.from('fabe6d6d', 'hex'), Buffer.from(work.hash, 'hex'), little(1, 4),
    little(0, 4)]);
  const made = await block(commitment, spent, [reversed(work._target)]);
  const proof = auxpow(made);
  const hash = Buffer.from(made.hash).reverse().toString('hex');
  const taken = await synod('submitauxblock', work.hash, proof);
  const again = await synod('submitauxblock', work.hash, proof);
  console.log(JSON.stringify({
    work, proof, parent_hash: hash,
    parent_best: await parent('getbestblockhash'), parent_height: await parent('getblockcount'),
    transactions: 1 + made.others.length, segwit: made.segwit, taken: taken.result, refused: taken.error, again: again.error,
  }));
}

main().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
