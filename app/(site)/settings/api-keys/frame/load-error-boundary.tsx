"use client";

import { QueryErrorResetBoundary } from "@tanstack/react-query";
import { TRPCClientError } from "@trpc/client";
import { Component, type ReactNode } from "react";

import { toCallFailure } from "../call-failure";
import { AccountSwitched } from "./account-switched";
import { LoadFailed } from "./load-failed";
import { SessionEnded } from "./session-ended";

/** Shows why the list is not there. An error that is no failed call is a fault of the page, and goes on to `error.tsx`. */
export function LoadErrorBoundary({ children }: { children: ReactNode }) {
  return (
    <QueryErrorResetBoundary>
      {({ reset }) => <CallErrorBoundary onReset={reset}>{children}</CallErrorBoundary>}
    </QueryErrorResetBoundary>
  );
}

interface CallErrorBoundaryProps {
  children: ReactNode;
  onReset: () => void;
}

class CallErrorBoundary extends Component<CallErrorBoundaryProps, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    // An error with a digest comes from rendering on the server. There, too, the list could not be read.
    const isFailedCall = error instanceof TRPCClientError || (error instanceof Error && "digest" in error);
    if (!isFailedCall) throw error;
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const { code } = toCallFailure(error);
    if (code === "SIGNED_OUT") return <SessionEnded />;
    if (code === "OTHER_OWNER") return <AccountSwitched />;
    return <LoadFailed onRetry={this.retry} />;
  }

  private readonly retry = () => {
    this.props.onReset();
    this.setState({ error: null });
  };
}
