/** What other folders may use of the events that are sent out. */
export { type EventBacklog, readEventBacklog } from "./backlog";
export { startEvents } from "./start-events";
export { createEventSender, type EventSender, type EventSettings } from "./event-sender";
