//! Row identities. A row id is never reused, so it may key processes, files and logs.

use serde::{Deserialize, Serialize};

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

row_id!(
    /// A row of `users`.
    UserId
);
row_id!(
    /// A row of `servers`: one user server, running or not.
    ServerId
);
row_id!(
    /// A row of `services`.
    ServiceId
);
row_id!(
    /// A row of `groups`.
    GroupId
);
row_id!(
    /// A row of `roles`.
    RoleId
);
row_id!(
    /// A row of `api_tokens`; `a<id>` in the REST API.
    TokenId
);
row_id!(
    /// A row of `shares`.
    ShareId
);
row_id!(
    /// A row of `messages`.
    MessageId
);
