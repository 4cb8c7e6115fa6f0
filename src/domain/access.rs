//! Who may do what: the decision for an endpoint (rbac.md 6), the effective scopes of a credential (9), what may be
//! granted to whom (11, 14, 15), and which fields of a model a holder sees (rest-api.md 2).
//!
//! Everything here is asked with facts that the caller looked up; nothing is looked up here.

mod decision;
mod effective;
mod gain;
mod grant;
mod resolve;
mod visible;

pub use decision::{Decision, Resource, check};
pub use effective::{
    Bearer, ShareGrant, access_scope, effective_for_service, effective_for_token, effective_for_user,
    identity_request, identity_scopes,
};
pub use gain::{gains_server, gains_user, has_power_over, is_mightier};
pub use grant::{
    AdminFlag, Grantee, NotHeld, ShareRefused, check_held, check_share, check_token_request, may_set_admin,
    server_token_scopes,
};
pub use resolve::{
    OAuthRequest, Resolution, posted_scopes, read_scope_parameter, resolve_for_client, resolve_for_user,
    resolve_requested, shown_scopes,
};
pub use visible::{
    GroupFields, ServiceFields, UserFields, UserVisibility, group_fields, server_state_visible,
    service_fields,
};

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;
