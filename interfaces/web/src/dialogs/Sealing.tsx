/** Whether what people write in this room is stored under keys of theirs, which can be destroyed. */

import { useEffect, useState } from "react";
import { Checkbox } from "react-aria-components";
import { useApi, useRoom } from "../workspace/room.tsx";
import type { ChangeSeen } from "./useSeen.ts";

interface SealingProps {
  readonly change: ChangeSeen;
  onFault(error: unknown): void;
}

export function Sealing({ change, onFault }: SealingProps) {
  const { room } = useRoom();
  const api = useApi();
  const [isSealed, setSealed] = useState<boolean | null>(null); // null until it is known
  const params = { path: { room } };
  // biome-ignore lint/correctness/useExhaustiveDependencies: of this room, while the dialog is open
  useEffect(() => {
    let isWanted = true;
    api
      .data(api.raw.GET("/api/rooms/{room}", { params }))
      .then(({ sealed }) => isWanted && setSealed(sealed))
      .catch(onFault);
    return () => {
      isWanted = false;
    };
  }, [api, room]);
  const seal = (sealed: boolean) => {
    setSealed(sealed);
    change((headers) => api.raw.PATCH("/api/rooms/{room}", { params, body: { sealed }, headers })).catch(
      (error: unknown) => {
        setSealed(!sealed);
        onFault(error);
      },
    );
  };
  return (
    <section>
      <Checkbox isSelected={isSealed === true} isDisabled={isSealed === null} onChange={seal}>
        Seal what people write from now on
      </Checkbox>
      <p className="hint">
        It is stored under keys of theirs. When somebody is erased, their keys are destroyed, and no copy of
        the log that was made before can be read either.
      </p>
    </section>
  );
}
