import type {
  AttributeDataJSON,
  AttributesJSON,
  EnvironmentJSON,
  OAuthProviders,
  UserSettingsJSON,
} from "@clerk/nextjs/types";

const off: AttributeDataJSON = {
  enabled: false,
  required: false,
  verifications: [],
  used_for_first_factor: false,
  first_factors: [],
  used_for_second_factor: false,
  second_factors: [],
  verify_at_sign_up: false,
};

const attributes: AttributesJSON = {
  email_address: { ...off, enabled: true, required: true, used_for_first_factor: true },
  password: { ...off, enabled: true, required: true },
  first_name: { ...off, enabled: true },
  last_name: { ...off, enabled: true },
  phone_number: off,
  username: off,
  web3_wallet: off,
  authenticator_app: off,
  backup_code: off,
  passkey: off,
};

// Clerk types these two as `never`: the real answer has neither.
const userSettings: Omit<UserSettingsJSON, "id" | "object"> = {
  attributes,
  actions: { delete_self: false, create_organization: false },
  social: {} as OAuthProviders,
  enterprise_sso: { enabled: false, self_serve_sso: false, self_serve_directory_sync: false },
  sign_in: { second_factor: { required: false, enabled: false } },
  sign_up: {
    allowlist_only: false,
    progressive: true,
    captcha_enabled: false,
    mode: "restricted",
    legal_consent_enabled: false,
  },
  password_settings: {
    allowed_special_characters: "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~",
    disable_hibp: true,
    min_length: 8,
    max_length: 72,
    require_special_char: false,
    require_numbers: false,
    require_uppercase: false,
    require_lowercase: false,
    show_zxcvbn: false,
    min_zxcvbn_strength: 0,
  },
  passkey_settings: { allow_autofill: false, show_sign_in_button: false },
  username_settings: { min_length: 4, max_length: 64 },
  attack_protection: { enumeration_protection: { enabled: false } },
};

/** What clerk-js asks for first: how people sign in, and where the pages are. The shape is checked against Clerk's own types. */
export function environmentBlob(appOrigin: string): Omit<EnvironmentJSON, "user_settings" | "organization_settings"> & {
  user_settings: typeof userSettings;
  organization_settings: Omit<EnvironmentJSON["organization_settings"], "id" | "object">;
} {
  return {
    object: "environment",
    id: "env_local",
    maintenance_mode: false,
    client_debug_mode: false,
    partitioned_cookies: false,
    auth_config: {
      object: "auth_config",
      id: "aconf_local",
      single_session_mode: true,
      claimed_at: null,
      reverification: false,
      session_minter: false,
    },
    display_config: {
      object: "display_config",
      id: "display_config_local",
      application_name: "Latchkey",
      instance_environment_type: "development",
      branded: false,
      show_devmode_warning: false,
      preferred_sign_in_strategy: "password",
      home_url: appOrigin,
      sign_in_url: `${appOrigin}/sign-in`,
      sign_up_url: `${appOrigin}/sign-in`,
      waitlist_url: `${appOrigin}/sign-in`,
      after_sign_in_url: appOrigin,
      after_sign_up_url: appOrigin,
      after_sign_out_all_url: `${appOrigin}/sign-in`,
      after_sign_out_one_url: `${appOrigin}/sign-in`,
      after_switch_session_url: appOrigin,
      after_join_waitlist_url: appOrigin,
      after_leave_organization_url: appOrigin,
      after_create_organization_url: appOrigin,
      user_profile_url: `${appOrigin}/`,
      organization_profile_url: `${appOrigin}/`,
      create_organization_url: `${appOrigin}/`,
      logo_image_url: "",
      favicon_image_url: "",
      support_email: "",
      terms_url: "",
      privacy_policy_url: "",
      captcha_public_key: null,
      captcha_public_key_invisible: null,
      captcha_widget_type: null,
      captcha_provider: "turnstile",
      captcha_oauth_bypass: [],
      captcha_heartbeat: false,
      theme: {
        general: {
          color: "#6c47ff",
          background_color: "#ffffff",
          font_family: "system-ui",
          font_color: "#151515",
          label_font_weight: "600",
          padding: "1em",
          border_radius: "0.5em",
          box_shadow: "0 2px 8px rgba(0, 0, 0, 0.2)",
        },
        buttons: { font_color: "#ffffff", font_family: "system-ui", font_weight: "600" },
        accounts: { background_color: "#ffffff" },
      },
    },
    user_settings: userSettings,
    organization_settings: {
      enabled: true,
      max_allowed_memberships: 0,
      force_organization_selection: false,
      actions: { admin_delete: false },
      domains: { enabled: false, enrollment_modes: [], default_role: null },
      slug: { disabled: false },
      organization_creation_defaults: { enabled: false },
    },
    commerce_settings: {
      object: "commerce_settings",
      id: "commerce_local",
      billing: {
        stripe_publishable_key: null,
        organization: { enabled: false, has_paid_plans: false },
        user: { enabled: false, has_paid_plans: false },
      },
    },
    api_keys_settings: {
      object: "api_keys_settings",
      id: "aks_local",
      user_api_keys_enabled: false,
      orgs_api_keys_enabled: false,
    },
    protect_config: { object: "protect_config", id: "protect_local" },
  };
}
