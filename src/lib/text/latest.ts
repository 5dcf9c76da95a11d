/**
 * Keeps what was worked out of one thing, the one that was asked about last. The garbage collector keeps the values of a
 * weak map alive in each of its short runs, with all that they refer to; for things that follow one another, as the
 * versions of a text do, this leaves nothing behind.
 */
export class Latest<Key extends object, Value> {
  private key: Key | undefined;
  private value: Value | undefined;

  /** The value of a key: the last one when it was of the same key, else a new one. */
  of(key: Key, make: (key: Key) => Value): Value {
    if (key === this.key) return this.value as Value;
    const value = make(key);
    this.key = key;
    this.value = value;
    return value;
  }
}
