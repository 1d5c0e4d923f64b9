/** Somebody's picture beside what they say. */

import { Picture } from "../people/Picture.tsx";
import { useLooks } from "./looks.ts";

export function Face({ user, title }: { readonly user: string; readonly title?: string }) {
  const looks = useLooks(user);
  return (
    <span className="face" title={title}>
      <Picture looks={looks} initials={looks.initials} />
    </span>
  );
}

export function Name({ user }: { readonly user: string }) {
  return <bdi>{useLooks(user).name}</bdi>;
}
