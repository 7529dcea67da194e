import { getServerContext } from "@/server/context";
import { checkReadiness } from "@/server/health";

export async function GET(): Promise<Response> {
  const { isReady, ...readiness } = await checkReadiness(getServerContext());
  const headers = { "Cache-Control": "no-store" };
  return Response.json(
    { status: isReady ? "ok" : "unavailable", ...readiness },
    { status: isReady ? 200 : 503, headers },
  );
}

export const dynamic = "force-dynamic";
