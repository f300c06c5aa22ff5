// Reads lines of JSON, {secret, headers, body}, and verifies each with the library that receivers use.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Webhook } = createRequire(process.argv[2] + "/")("standardwebhooks");

for await (const line of createInterface({ input: process.stdin })) {
    const { secret, headers, body } = JSON.parse(line);
    try {
        const event = new Webhook(secret).verify(body, headers);
        console.log(JSON.stringify({ ok: true, account: event.data.account, type: event.type }));
    } catch (error) {
        console.log(JSON.stringify({ ok: false, why: error.message }));
    }
}
