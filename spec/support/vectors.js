// Makes spec/data/twilio_node_vectors.lua: signatures of both algorithms, and
// the verdict of Twilio's own library for Node on each. Run it where the library
// can be found, in a folder outside of this one:
//
//   cd FOLDER && npm install twilio@6.3.1
//   NODE_PATH=FOLDER/node_modules node spec/support/vectors.js \
//     >spec/data/twilio_node_vectors.lua
const crypto = require("crypto");
const twilio = require("twilio/lib/webhooks/webhooks");
const { version } = require("twilio/package.json");

const WANTED = "6.3.1";
const ALGORITHMS = ["HMAC_SHA1", "HMAC_SHA256"];
const URL = "https://company.example/flex/events";
const TOKEN = "0123456789abcdef0123456789abcdef";

const EVENT = {
  EventType: "onParticipantJoined",
  AccountSid: "AC" + TOKEN,
  InteractionSid: "KD" + TOKEN,
  ChannelSid: "UO" + TOKEN,
  ParticipantSid: "UT" + TOKEN,
  ParticipantType: "agent",
  MediaChannelType: "whatsapp",
};

const bodyHash = (body) =>
  crypto.createHash("sha256").update(body).digest("hex");

// What is signed: a secret, a URL, and parameters or a body. `as` is the URL of
// the check, where it is another than the signed one.
const SIGNED = [
  { name: "an event", params: EVENT },
  { name: "no parameters", params: {} },
  { name: "one parameter", params: { a: "1" } },
  { name: "names in the order of their bytes",
    params: { b: "1", a: "2", B: "3", A: "4", _: "5", 1: "6", aa: "7" } },
  { name: "values with blanks and signs",
    params: { a: " x ", b: "a+b=c&d%20", c: "\t\r\n", d: "'\"\\" } },
  { name: "empty values", params: { a: "", b: "", c: "x" } },
  { name: "an empty name", params: { "": "x", a: "y" } },
  { name: "a repeated name", params: { a: ["2", "1", "10"], b: "x" } },
  { name: "a value that is repeated", params: { a: ["x", "y", "x"] } },
  { name: "a list of one", params: { a: ["x"] } },
  { name: "letters beyond ASCII",
    params: { "Müller": "Größe", "名": "前", emoji: "😀" } },
  { name: "a long value", params: { a: "x".repeat(5000) } },
  { name: "many parameters", params: Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => ["p" + i, String(i * i)])) },
  { name: "a query", url: URL + "?a=1&b=%2F+%20", params: { c: "2" } },
  { name: "an empty query", url: URL + "?", params: { a: "1" } },
  { name: "an explicit port", url: "https://company.example:8443/e",
    as: "https://company.example/e", params: { a: "1" } },
  { name: "the default port", url: "https://company.example:443/e",
    as: "https://company.example/e", params: { a: "1" } },
  { name: "the default port of http", url: "http://company.example:80/e",
    as: "http://company.example/e", params: { a: "1" } },
  { name: "no port where there is one", url: "https://company.example/e",
    as: "https://company.example:8443/e", params: { a: "1" } },
  { name: "userinfo", url: "https://user:pass@company.example/e",
    params: { a: "1" } },
  { name: "an address in brackets", url: "https://[2001:db8::1]:8443/e",
    as: "https://[2001:db8::1]/e", params: { a: "1" } },
  { name: "an apostrophe", url: URL + "?name=O'Neill", params: { a: "1" } },
  { name: "escapes in the path", url: "https://company.example/a%20b/%C3%BC",
    params: { a: "1" } },
  { name: "a body that is JSON", body: '{"EventType":"onChannelCreated"}' },
  { name: "an empty body", body: "" },
  { name: "a body beyond ASCII", body: '{"name":"Größe"}' },
  { name: "a body behind another query", url: URL + "?a=1",
    body: "[1,2,3]" },
  { name: "a secret of one byte", secret: "x", params: EVENT },
  { name: "a secret of a block", secret: "s".repeat(64), params: EVENT },
  { name: "a secret longer than a block", secret: "s".repeat(65),
    params: EVENT },
  { name: "a secret beyond ASCII", secret: "schlüssel 鍵",
    params: EVENT },
  { name: "a secret with blanks", secret: " a b ", params: EVENT },
];

// What is done to a delivery that was signed well; all of it is refused.
const FORGED = [
  { name: "another secret", change: (row) => { row.secret += "x"; } },
  { name: "another value", change: (row) => { row.params.ParticipantType =
    "customer"; } },
  { name: "a parameter more", change: (row) => { row.params.Extra = ""; } },
  { name: "a parameter less", change: (row) => { delete
    row.params.ParticipantSid; } },
  { name: "another path", change: (row) => { row.url += "/"; } },
  { name: "another query", change: (row) => { row.url += "?a"; } },
  { name: "another scheme", change: (row) => { row.url =
    row.url.replace("https", "http"); } },
  { name: "another signature", change: (row) => { row.signature =
    row.signature.replace(/^./, (c) => (c === "A" ? "B" : "A")); } },
  { name: "no signature", change: (row) => { row.signature = ""; } },
  { name: "the signature of the other algorithm", change: (row) => {
    row.signature = twilio.getExpectedTwilioSignature(row.secret, row.url,
      row.params, ALGORITHMS.find((name) => name !== row.algorithm)); } },
];

function signed(given, algorithm) {
  const row = { name: given.name, algorithm, secret: given.secret || TOKEN,
    url: given.url || URL };
  if (given.body === undefined) {
    row.params = { ...given.params };
  } else {
    row.body = given.body;
    row.url += (given.url ? "&" : "?") + "bodySHA256=" + bodyHash(given.body);
  }
  row.signature = twilio.getExpectedTwilioSignature(row.secret, row.url,
    row.params || {}, algorithm);
  row.url = given.as || row.url;
  return row;
}

function verdict(row) {
  return row.body === undefined
    ? twilio.validateRequest(row.secret, row.signature, row.url, row.params,
      row.algorithm)
    : twilio.validateRequestWithBody(row.secret, row.signature, row.url,
      row.body, row.algorithm);
}

function make() {
  const rows = [];
  for (const algorithm of ALGORITHMS) {
    for (const given of SIGNED) rows.push(signed(given, algorithm));
    for (const { name, change } of FORGED) {
      const row = signed({ name, params: EVENT }, algorithm);
      change(row);
      rows.push(row);
    }
  }
  for (const row of rows) row.valid = verdict(row);
  return rows;
}

// Lua literals; bytes beyond printable ASCII are escaped.
function literal(value) {
  if (typeof value !== "string") {
    return Array.isArray(value)
      ? `{ ${value.map(literal).join(", ")} }` : String(value);
  }
  const run = /^(.)\1{99,}$/.exec(value);
  if (run) return `("${run[1]}"):rep(${value.length})`;
  const bytes = [...Buffer.from(value)].map((byte) =>
    byte === 34 || byte === 92 ? "\\" + String.fromCharCode(byte)
      : byte < 32 || byte > 126 ? "\\" + String(byte).padStart(3, "0")
        : String.fromCharCode(byte));
  const lines = [];
  while (bytes.length > 0) {
    let line = "";
    while (bytes.length > 0 && line.length + bytes[0].length <= 58) {
      line += bytes.shift();
    }
    lines.push(`"${line}"`);
  }
  return lines.length > 0 ? lines.join("\n      .. ") : '""';
}

function print(row) {
  console.log("  {");
  for (const name of ["name", "algorithm", "secret", "url", "body",
    "signature", "valid"]) {
    if (row[name] !== undefined) {
      console.log(`    ${name} = ${literal(row[name])},`);
    }
  }
  if (row.params) {
    console.log("    params = {");
    for (const [name, value] of Object.entries(row.params)) {
      console.log(`      [${literal(name)}] = ${literal(value)},`);
    }
    console.log("    },");
  }
  console.log("  },");
}

if (version !== WANTED) {
  console.error(`twilio ${WANTED} is wanted, this is ${version}`);
  process.exit(1);
}
console.log(`-- Made by spec/support/vectors.js with twilio ${version} for Node.
return {`);
make().forEach(print);
console.log("}");
