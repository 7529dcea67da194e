interface FieldErrorProps {
  id?: string;
  messages: string[] | undefined;
  hint?: string;
}

/** Says what is wrong with a field. When nothing is, it shows the field's hint. */
export function FieldError({ id, messages, hint }: FieldErrorProps) {
  const [message] = messages ?? [];
  if (message === undefined && hint === undefined) return null;
  return (
    <p id={id} className={message === undefined ? "text-xs text-muted-foreground" : "text-xs text-destructive"}>
      {message ?? hint}
    </p>
  );
}
