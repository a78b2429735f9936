// Name server of Droplets. It answers A records of the names in a file, which it reads anew whenever it has
// changed, and says of every other name that it does not exist: silence would cost each caller its whole
// timeout, 20 seconds in every `docker pull`. Where Droplets may reach the internet, it passes other names on.
const { createSocket } = require("node:dgram");
const { readFileSync, statSync } = require("node:fs");

const [port, file] = process.argv.slice(2);
const HEADER_LENGTH = 12;
const TYPE_A = 1;
const TYPE_ANY = 255;
const NO_SUCH_NAME = 3;
const TTL_SECONDS = 5;
const FORWARD_TIMEOUT_MS = 3000;

let table = { forward: false, names: {} };
let version;

/** `{ forward: boolean, names: { [name in lower case]: IPv4 addresses } }` */
function currentTable() {
  const { mtimeNs, ino } = statSync(file, { bigint: true, throwIfNoEntry: false }) ?? {};
  if (mtimeNs !== undefined && version !== `${mtimeNs} ${ino}`) {
    table = JSON.parse(readFileSync(file, "utf8"));
    version = `${mtimeNs} ${ino}`;
  }
  return table;
}

/** A name and type of a query's first question; undefined when it is none. */
function questionOf(query) {
  const labels = [];
  let at = HEADER_LENGTH;
  while (query[at] > 0 && query[at] < 64) {
    labels.push(query.toString("latin1", at + 1, at + 1 + query[at]).toLowerCase());
    at += query[at] + 1;
  }
  if (at + 5 > query.length) return undefined;
  return { labels, type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Addresses of a name, or of the nearest wildcard above it. */
function addressesOf(names, labels) {
  const exact = names[labels.join(".")];
  if (exact) return exact;
  for (let cut = 1; cut < labels.length; cut++) {
    const wildcard = names[["*", ...labels.slice(cut)].join(".")];
    if (wildcard) return wildcard;
    if (names[labels.slice(cut).join(".")]) return undefined;
  }
  return undefined;
}

function answer(query, { end }, code, addresses) {
  const head = Buffer.from(query.subarray(0, end));
  // A response that is authoritative; recursion was desired as the query says, and is available.
  head[2] = 0x84 | (query[2] & 0x79);
  head[3] = 0x80 | code;
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  head.fill(0, 8, HEADER_LENGTH);
  const records = addresses.map((address) =>
    Buffer.from([
      0xc0,
      HEADER_LENGTH,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      TTL_SECONDS,
      0,
      4,
      ...address.split("."),
    ]),
  );
  return Buffer.concat([head, ...records]);
}

/** Asks the machine's own name server; no answer is an answer, too. */
function forward(query, reply) {
  const upstream = /^nameserver\s+(\S+)/m.exec(readFileSync("/etc/resolv.conf", "utf8"))?.[1];
  if (upstream === undefined) return;
  const socket = createSocket(upstream.includes(":") ? "udp6" : "udp4");
  const timer = setTimeout(() => socket.close(), FORWARD_TIMEOUT_MS);
  socket.on("error", () => undefined);
  socket.on("close", () => clearTimeout(timer));
  socket.once("message", (message) => {
    reply(message);
    socket.close();
  });
  socket.send(query, 53, upstream);
}

const server = createSocket("udp4");
server.on("message", (query, peer) => {
  const reply = (message) => server.send(message, peer.port, peer.address);
  const question = query.length < HEADER_LENGTH ? undefined : questionOf(query);
  if (question === undefined) return;
  const { names, forward: passesOn } = currentTable();
  const addresses = addressesOf(names, question.labels);
  if (addresses) {
    const asked = question.type === TYPE_A || question.type === TYPE_ANY;
    reply(answer(query, question, 0, asked ? addresses : []));
  } else if (passesOn) forward(query, reply);
  else reply(answer(query, question, NO_SUCH_NAME, []));
});
server.bind(Number(port), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
