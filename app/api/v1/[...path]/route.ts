import { problemResponse } from "@/server/gateway/problem";

const notFound = () => problemResponse("not_found");

export { notFound as DELETE, notFound as GET, notFound as PATCH, notFound as POST, notFound as PUT };
