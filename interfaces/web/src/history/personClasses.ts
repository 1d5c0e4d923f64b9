/**
 * Colours of people for marks in a text: classes that take their colour from variables of the view's element. The
 * page's policy allows no style attributes, which is all that an editor's mark could have.
 */

/** Beyond, people share colours; nobody tells more of them apart. */
export const CLASSES = 24;

export class PersonClasses {
  readonly #host: HTMLElement;
  readonly #numbers = new Map<string, number>();

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  classOf(user: string, colour: string): string {
    const number = this.#numbers.get(user) ?? this.#numbers.size % CLASSES;
    this.#numbers.set(user, number);
    this.#host.style.setProperty(`--person-${number}`, colour);
    return `person-${number}`;
  }
}
