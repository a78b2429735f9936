/** A fault the operator can do something about: shown as its message alone, without a stack trace. */
export class Fault extends Error {
  override readonly name = "Fault";
}
