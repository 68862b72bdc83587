// Twilio's own library doing the same: parse the form, validate the request.
const querystring = require("querystring");
const { validateRequest } = require("twilio");

const [, , seconds, url, body, ...signatures] = process.argv;
const token = "0123456789abcdef0123456789abcdef";

function measure(subject, signature, algorithm) {
  let count = 0;
  let took;
  const begun = process.cpuUsage().user;
  do {
    for (let i = 0; i < 1000; i++) {
      if (!validateRequest(token, signature, url, querystring.parse(body),
        algorithm)) {
        throw new Error("refused");
      }
    }
    count += 1000;
    took = (process.cpuUsage().user - begun) / 1e6;
  } while (took < Number(seconds));
  console.log(`${subject}\ttwilio-node\t${Math.round(count / took)}\tevents/s`);
}

measure("verify and parse", signatures[0], "HMAC_SHA1");
measure("verify and parse, SHA-256", signatures[1], "HMAC_SHA256");
