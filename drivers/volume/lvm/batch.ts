/** Work that is dear by the command and cheap by the piece: what comes while the queue is busy goes together. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * `work` is called in its turn with what has gathered until then, at most `limit` pieces, in the order of asking. It answers
 * for each piece; where it throws, all of them fail with that.
 */
export function createBatch<Piece, Result>(
  inTurn: InTurn,
  limit: number,
  work: (pieces: readonly Piece[]) => Promise<readonly PromiseSettledResult<Result>[]>,
): (piece: Piece) => Promise<Result> {
  interface Waiting extends PromiseWithResolvers<Result> {
    readonly piece: Piece;
  }
  let waiting: Waiting[] = [];
  let turns = 0;

  async function takeTurn(): Promise<void> {
    turns -= 1;
    const taken = waiting.slice(0, limit);
    waiting = waiting.slice(limit);
    try {
      const results = await work(taken.map(({ piece }) => piece));
      for (const [index, { resolve, reject }] of taken.entries()) {
        const result = results[index]!;
        if (result.status === 'fulfilled') resolve(result.value);
        else reject(result.reason);
      }
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  }

  return (piece) => {
    const entry = { piece, ...Promise.withResolvers<Result>() };
    waiting.push(entry);
    if (waiting.length > turns * limit) {
      turns += 1;
      void inTurn(takeTurn);
    }
    return entry.promise;
  };
}
