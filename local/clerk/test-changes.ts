import type { FrontendContext } from "./frontend-api";
import { ClerkApiError } from "./http-exchange";
import type { MembershipChange, OrganizationChange } from "./organization-registry";
import type { UserChange } from "./user-registry";
import {
  deliverWebhook,
  eventAt,
  eventOfMembership,
  eventsOfOrganization,
  eventsOfUser,
  type Happening,
} from "./webhooks";

type DeliveryOptions = {
  /** When the events of the change happened; absent: now. */
  at?: number | undefined;
  /** false: the events are only answered with, for a test that sends them itself. */
  deliver?: boolean | undefined;
};

export type UserChangeOptions = UserChange & DeliveryOptions;
export type OrganizationChangeOptions = OrganizationChange & DeliveryOptions;
export type MembershipChangeOptions = MembershipChange & DeliveryOptions;

/** Sends the events one after the other. Resolves with them and with how each was answered. */
async function announce(context: FrontendContext, happenings: readonly Happening[], options: DeliveryOptions) {
  const timestamp = options.at ?? Date.now();
  const events = happenings.map((happening) => eventAt(timestamp, happening));
  const statuses: number[] = [];
  if (options.deliver !== false)
    for (const event of events)
      statuses.push(await deliverWebhook(context.appOrigin, context.keys.webhookSecret, event));
  return { events, statuses };
}

export async function changeUser(context: FrontendContext, id: string, options: UserChangeOptions) {
  const { at, deliver, ...change } = options;
  const user = context.users.change(id, change);
  if (change.deleted || change.banned) context.sessions.endAllOf(id);
  if (change.deleted) context.organizations.removeUser(id);
  return announce(context, eventsOfUser(user, change), { at, deliver });
}

export async function changeOrganization(context: FrontendContext, id: string, options: OrganizationChangeOptions) {
  const { at, deliver, ...change } = options;
  const isNew = context.organizations.find(id) === undefined;
  const organization = context.organizations.change(id, change);
  return announce(context, eventsOfOrganization(context, organization, { ...change, isNew }), { at, deliver });
}

/** The organisation has to be known; a user who is unknown comes into being. */
export async function changeMembership(
  context: FrontendContext,
  organizationId: string,
  userId: string,
  options: MembershipChangeOptions,
) {
  const { at, deliver, ...change } = options;
  if (context.users.find(userId) === undefined) context.users.change(userId, {});
  const isNew = context.organizations.findMembership(organizationId, userId) === undefined;
  if (isNew && change.deleted) throw new ClerkApiError(404, "resource_not_found", "The user is no member.");
  const membership = context.organizations.changeMembership(organizationId, userId, change);
  const happening = membership && eventOfMembership(context, membership, { ...change, isNew });
  return announce(context, happening ? [happening] : [], { at, deliver });
}
