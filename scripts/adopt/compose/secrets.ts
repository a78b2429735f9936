/** Which variables of an environment are secrets, by name and value. */

const NAME =
  /(^|_)(PASS|PASSWD|PASSWORD|PASSPHRASE|PW|PWD|SECRETS?|TOKEN|CREDENTIALS?|SALT|DSN|PRIVATE_KEY|API_?KEY|ACCESS_?KEY|SECRET_?KEY|MASTER_?KEY|ENCRYPTION_?KEY|SIGNING_?KEY|LICENSE_?KEY|KEY_BASE|JWT_?KEY|APP_KEY|AUTH_KEY|SESSION_KEY|WEBHOOK_URL)(_|$)/;

/** What only names a place, a number or a switch. */
const HARMLESS_NAME =
  /(_FILE|_PATH|_DIR|_ENABLED|_LENGTH|_TTL|_EXPIRY|_EXPIRES(_IN)?|_LIFETIME|_ALGORITHM|_ID|_HEADER|_TIMEOUT|_POLICY|_NAME)$/;

/** `scheme://user:password@host`. */
const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]*:[^/?#@\s]+@/i;

export function looksSecret(name: string, value: string | null): boolean {
  if (value !== null && (URL_WITH_PASSWORD.test(value) || /PRIVATE KEY-----/.test(value)))
    return true;
  // camelCase and Ghost's database__connection__password are names, too.
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, "_");
  if (value !== null && /^(true|false|yes|no|on|off|\d{1,4}|)$/i.test(value)) return false;
  return NAME.test(words) && !HARMLESS_NAME.test(words);
}
