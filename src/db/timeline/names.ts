/** A copy of a text: a part of a larger text would keep all of that in memory. */
export const ownText = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

/** Numbers names from 0, in order of appearance: columns hold numbers, and very many rows share a name. */
export class Names {
  readonly all: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Neighboring rows mostly have the same name, and comparing is faster than looking up. */
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
