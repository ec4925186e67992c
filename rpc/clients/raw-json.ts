/** A result, or an error's data, that is JSON already: it goes to the client byte for byte. */
export class RawJson {
  constructor(readonly text: string) {}
}
