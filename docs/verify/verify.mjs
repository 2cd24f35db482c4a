// Verify that a push is from us. Node.js 16 or later, no package.
//
// `payload` is what came over the wire, unchanged: the raw body of a POST as a Buffer (in Express: express.raw()),
// `request.url` for a GET (in Express: request.originalUrl). `headers`: request.headers.

import { createHmac, timingSafeEqual } from "node:crypto";

export function verify(secret, headers, payload, now = Date.now() / 1000, tolerance = 300) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!/^[0-9]+$/.test(timestamp) || Math.abs(now - Number(timestamp)) > tolerance) return false;
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
  const digest = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(payload).digest("base64");
  const expected = Buffer.from(`v1,${digest}`);
  // While the secret is being changed there are two signatures, separated by a blank.
  return (headers["webhook-signature"] ?? "").split(" ").some((one) => {
    const given = Buffer.from(one);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
