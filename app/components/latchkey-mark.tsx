/** A key whose bow is the ring of a latch. */
export function LatchkeyMark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 24 24" fill="none" aria-hidden className={className}>
      <rect x="1" y="1" width="22" height="22" rx="6" className="fill-primary" />
      <g className="stroke-brand" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="9" cy="9.25" r="3.25" />
        <path d="M11.4 11.6 17.5 17.7M14.3 14.5l1.9-1.9M16.6 16.8l1.4-1.4" />
      </g>
    </svg>
  );
}
