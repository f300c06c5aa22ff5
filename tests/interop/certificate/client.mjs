// What Microsoft's client and a library of tokens make of certificates. NODE_MODULES TASK, and JSON on standard input:
//   verify  {assertion, certificate, audience, client_id}: does a library accept the assertion?
//   login   {authority, tenant, client_id, file, password, chain}: does Microsoft's client get a token?
import { createRequire } from "node:module";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

const [modules, task] = process.argv.slice(2);
const load = createRequire(modules + "/");

async function verify({ assertion, certificate, audience, client_id }) {
    const { jwtVerify, importX509, decodeProtectedHeader } = load("jose");
    const key = await importX509(certificate, "PS256");
    const { payload } = await jwtVerify(assertion, key, {
        algorithms: ["PS256"], audience, issuer: client_id, subject: client_id, typ: "JWT",
        requiredClaims: ["jti", "nbf", "iat", "exp"], maxTokenAge: "5m" });
    const header = decodeProtectedHeader(assertion);
    const der = new X509Certificate(certificate).raw;
    return { lifetime: payload.exp - payload.iat, jti: payload.jti,
             thumbprint: header["x5t#S256"] === createHash("sha256").update(der).digest("base64url"),
             leaf: header.x5c?.[0] === der.toString("base64"), chain: header.x5c?.length ?? 0 };
}

async function login({ authority, tenant, client_id, file, password, chain }) {
    const { ClientCertificateCredential } = load("@azure/identity");
    const credential = new ClientCertificateCredential(
        tenant, client_id, { certificatePath: file, certificatePassword: password },
        { authorityHost: authority, disableInstanceDiscovery: true, sendCertificateChain: chain });
    const token = await credential.getToken("https://management.azure.com/.default");
    return { token: token.token, expires: token.expiresOnTimestamp };
}

try {
    const question = JSON.parse(readFileSync(0, "utf8"));
    console.log(JSON.stringify({ ok: true, ...await { verify, login }[task](question) }));
} catch (error) {
    console.log(JSON.stringify({ ok: false, why: String(error.message ?? error) }));
}
