/** A request that waits for `opened` passes when the test calls `open`: order without sleeps. */
export function createGate() {
  let open: () => void = () => undefined;
  const opened = new Promise<"pass">((resolve) => {
    open = () => {
      resolve("pass");
    };
  });
  return { opened, open };
}
