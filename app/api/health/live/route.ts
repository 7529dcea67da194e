/** The process answers. Nothing else is asked, so that an outage elsewhere does not get a healthy process killed. */
export function GET(): Response {
  return Response.json({ status: "ok" }, { headers: { "Cache-Control": "no-store" } });
}

export const dynamic = "force-dynamic";
