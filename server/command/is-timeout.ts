/** Whether something did not answer in time. The drivers say so only in their messages, which may hold more: they are not shown. */
export function isTimeout(fault: unknown): boolean {
  if (!(fault instanceof Error)) return false;
  const code = "code" in fault ? String(fault.code) : "";
  return /timeout|ETIMEDOUT/i.test(`${fault.name} ${code} ${fault.message}`) || isTimeout(fault.cause);
}
