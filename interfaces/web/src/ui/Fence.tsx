/** What a part's fault takes down is that part. */

import { Component, type ReactNode } from "react";
import { NotLoaded } from "./late.ts";
import { ErrorNote } from "./notes.tsx";

/** What has not come is asked for again so often, and as soon as the network is back. */
const AGAIN_MS = 5_000;

interface FenceProps {
  readonly children: ReactNode;
  /** Nobody has asked for it yet, and nobody misses it. */
  readonly isAside?: boolean;
  /** It lies over the page, and one may want it no more. */
  onClose?(): void;
}

export class Fence extends Component<FenceProps, { readonly error: unknown }> {
  override state = { error: null as unknown };
  #again = 0;

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidCatch(error: unknown) {
    if (!(error instanceof NotLoaded)) return;
    this.#stopWaiting();
    this.#again = window.setTimeout(this.#retry, AGAIN_MS);
    window.addEventListener("online", this.#retry);
  }

  override componentDidUpdate(before: FenceProps) {
    if (this.state.error !== null && before.isAside && !this.props.isAside) this.#retry();
  }

  override componentWillUnmount() {
    this.#stopWaiting();
  }

  #stopWaiting() {
    window.clearTimeout(this.#again);
    window.removeEventListener("online", this.#retry);
  }

  #retry = () => {
    this.#stopWaiting();
    if (this.state.error instanceof NotLoaded) this.state.error.forget();
    this.setState({ error: null });
  };

  override render() {
    if (this.state.error === null) return this.props.children;
    const { isAside, onClose } = this.props;
    return isAside ? null : <ErrorNote error={this.state.error} onRetry={this.#retry} onClose={onClose} />;
  }
}
