import { describe, expect, it } from "vitest";

import { appOriginOf, normaliseOrigin } from "@/server/settings/app-origin";

describe("the app's origin", () => {
  it("is the setting as browsers write it", () => {
    for (const APP_ORIGIN of ["https://app.example.com", "HTTPS://App.example.com:443/", " https://app.example.com/\n"])
      expect(appOriginOf({ APP_ORIGIN, NODE_ENV: "production" })).toBe("https://app.example.com");
  });

  it("is the local address outside production when it is unset, and unknown in production", () => {
    for (const APP_ORIGIN of [undefined, "", " \n"]) {
      expect(appOriginOf({ APP_ORIGIN, NODE_ENV: "development", PORT: " 3100\n" })).toBe("http://localhost:3100");
      expect(appOriginOf({ APP_ORIGIN, PORT: "" })).toBe("http://localhost:3000");
      expect(appOriginOf({ APP_ORIGIN, NODE_ENV: "production", PORT: "3100" })).toBeUndefined();
    }
  });

  it("equals no origin when the setting is none, so that no session passes by mistake", () => {
    for (const APP_ORIGIN of ["https://app.example.com/path", "*", "app.example.com"]) {
      expect(normaliseOrigin(APP_ORIGIN)).toBeNull();
      expect(appOriginOf({ APP_ORIGIN, NODE_ENV: "production" })).toBe(APP_ORIGIN);
    }
  });
});
