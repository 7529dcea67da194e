export type Account = {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  features: readonly string[];
  note: string;
};

/** The one password of all demo accounts. It protects nothing: the stand-in answers on loopback only. */
export const accountPassword = "latchkey-demo-2026";

const createdAt = Date.UTC(2026, 0, 1);

export const accounts: readonly Account[] = [
  {
    id: "user_2pLatchkeyDemoAda000000001",
    email: "ada@example.test",
    firstName: "Ada",
    lastName: "Example",
    features: ["api_access"],
    note: "with API access, admin of Acme",
  },
  {
    id: "user_2pLatchkeyDemoGrace0000002",
    email: "grace@example.test",
    firstName: "Grace",
    lastName: "Sample",
    features: ["api_access"],
    note: "with API access, member of Acme",
  },
  {
    id: "user_2pLatchkeyDemoLinus0000003",
    email: "linus@example.test",
    firstName: "Linus",
    lastName: "Specimen",
    features: [],
    note: "without API access",
  },
];

export const findAccountById = (id: string): Account | undefined => accounts.find((account) => account.id === id);

export const publicUserData = (account: Account) => ({
  first_name: account.firstName,
  last_name: account.lastName,
  image_url: "",
  has_image: false,
  identifier: account.email,
  user_id: account.id,
});

/**
 * The user as Clerk writes it; the frontend and the backend API differ only in fields that the other ignores.
 * @param memberships in the frontend API alone
 */
export function userResource(account: Account & { banned: boolean }, memberships: readonly object[] = []) {
  const emailId = account.id.replace("user_", "idn_");
  return {
    object: "user",
    id: account.id,
    external_id: null,
    primary_email_address_id: emailId,
    primary_phone_number_id: null,
    primary_web3_wallet_id: null,
    image_url: "",
    profile_image_id: "",
    has_image: false,
    username: null,
    first_name: account.firstName,
    last_name: account.lastName,
    email_addresses: [
      {
        object: "email_address",
        id: emailId,
        email_address: account.email,
        verification: {
          object: "verification_admin",
          status: "verified",
          strategy: "admin",
          attempts: null,
          expire_at: null,
        },
        linked_to: [],
        matches_sso_connection: false,
        created_at: createdAt,
        updated_at: createdAt,
      },
    ],
    phone_numbers: [],
    web3_wallets: [],
    external_accounts: [],
    enterprise_accounts: [],
    passkeys: [],
    organization_memberships: memberships,
    password_enabled: true,
    totp_enabled: false,
    backup_code_enabled: false,
    two_factor_enabled: false,
    banned: account.banned,
    locked: false,
    lockout_expires_in_seconds: null,
    verification_attempts_remaining: 100,
    public_metadata: {},
    private_metadata: {},
    unsafe_metadata: {},
    last_sign_in_at: null,
    last_active_at: null,
    create_organization_enabled: false,
    create_organizations_limit: null,
    delete_self_enabled: false,
    legal_accepted_at: null,
    timezone: null,
    locale: null,
    created_at: createdAt,
    updated_at: createdAt,
  };
}
