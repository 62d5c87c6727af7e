/** Names as numbers from 0, in the order in which they are met: columns hold numbers, and very many rows have one name. */
export class Names {
  readonly all: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Rows beside each other mostly have the same name, which is sooner compared than looked up. */
  #lastName: string | undefined;
  #lastNumber = -1;

  numberOf(name: string): number {
    if (name === this.#lastName) return this.#lastNumber;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.all.length;
      this.all.push(name);
      this.#numbers.set(name, number);
    }
    this.#lastName = name;
    this.#lastNumber = number;
    return number;
  }
}
