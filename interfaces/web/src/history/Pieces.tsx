/** What an edit did to a text: what was kept, put in and taken out. */

interface Piece {
  readonly kind: string;
  readonly text: string;
  readonly length: number;
}

export function Pieces({ pieces }: { readonly pieces: readonly Piece[] }) {
  if (pieces.length === 0) return null;
  return (
    <pre className="pieces" dir="auto">
      {pieces.map((piece, index) => {
        const key = index;
        switch (piece.kind) {
          case "inserted":
            return <ins key={key}>{piece.text}</ins>;
          case "deleted":
            return <del key={key}>{piece.text}</del>;
          case "left_out":
            return (
              <span key={key} className="left-out" title={`${piece.length} characters`}>
                …
              </span>
            );
          default:
            return <span key={key}>{piece.text}</span>;
        }
      })}
    </pre>
  );
}
