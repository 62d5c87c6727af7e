/** A text of its own: a part of a larger text would keep all of that in memory. */
export const ownText = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

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
      const own = ownText(name);
      number = this.all.length;
      this.all.push(own);
      this.#numbers.set(own, number);
    }
    this.#lastName = this.all[number];
    this.#lastNumber = number;
    return number;
  }
}
